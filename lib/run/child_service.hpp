#pragma once

#include <filesystem>
#include <optional>
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
  /// How it ended ("signal 9", "exit code 70"); nothing while it runs. Does not wait.
  [[nodiscard]] std::optional<std::string> ended();

 private:
  [[nodiscard]] std::string read_line(int descriptor) const;
  void end();
  pid_t pid_ = -1;  ///< -1 once it has ended
  std::string how_it_ended_;
  int life_line_ = -1;  ///< the child ends when this is closed
  int output_ = -1;     ///< kept open: writing to a closed pipe would end the child
  int port_ = 0;
};

}  // namespace evd::run
