#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace evd::test {

/// A program to start: found on PATH when its name holds no slash.
struct Command {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment{};  ///< added to our own; "" removes a variable
  std::filesystem::path directory{};                 ///< working directory; empty = ours
  double timeout_s = 120;                            ///< then SIGKILL for its whole process group
};

struct Finished {
  int code = -1;   ///< exit code; -1 when a signal ended it
  int signal = 0;  ///< the signal that ended it; 0 = none
  bool timed_out = false;
  std::string out;
  std::string err;
  double seconds = 0;
};

/// A started program in a process group of its own, its output going to temporary files.
class Process {
 public:
  explicit Process(Command command);
  /// Kills what still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Sends a signal to the program alone, or to its whole group.
  void signal(int number) const;
  void signal_group(int number) const;
  /// What it has written to standard error so far.
  [[nodiscard]] std::string err_so_far() const;
  /// True until it has ended.
  [[nodiscard]] bool running();
  /// Waits for the end or the time limit.
  Finished wait();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void reap(int options);
  Command command_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
  double begun_s_ = 0;
  std::filesystem::path out_;
  std::filesystem::path err_;
};

/// Starts and waits.
Finished run(Command command);

/// `mpirun` arguments for `ranks` ranks of a program, on this machine, as any user.
[[nodiscard]] std::vector<std::string> mpirun(int ranks, std::vector<std::string> program);

}  // namespace evd::test
