#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace evd::run {

/// A server program started as a child in a process group of its own (a Ctrl-C at the terminal does
/// not reach it before its parent is done with it). Its standard error is ours.
class ChildService {
 public:
  /// Appends `--token-fd N --parent-fd N` to the arguments, sends `token` through a pipe and waits
  /// for one line {"port": N} on its standard output. ServiceError when it ends or says nothing.
  ChildService(const std::filesystem::path& program, std::vector<std::string> arguments,
               const std::string& token);
  /// Closes the pipe that it watches, and ends it if it does not go.
  ~ChildService();
  ChildService(const ChildService&) = delete;
  ChildService& operator=(const ChildService&) = delete;

  [[nodiscard]] int port() const { return port_; }

 private:
  [[nodiscard]] std::string read_line(int descriptor) const;
  void end();
  pid_t pid_ = -1;
  int life_line_ = -1;  ///< the child ends when this is closed
  int output_ = -1;     ///< kept open: writing to a closed pipe would end the child
  int port_ = 0;
};

}  // namespace evd::run
