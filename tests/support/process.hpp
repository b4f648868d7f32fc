#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace evd::test {

/// A program to start as a user would, without a shell between: found on PATH when its name holds
/// no slash.
struct Command {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment{};  ///< added to our own; "" removes a variable
  std::filesystem::path directory{};                 ///< working directory; empty = ours
  double timeout_s = 120;                            ///< then SIGKILL for it and its descendants
  std::string input{};                               ///< standard input
};

struct Finished {
  int code = -1;   ///< exit code; -1 when a signal ended it
  int signal = 0;  ///< the signal that ended it; 0 = none
  bool timed_out = false;
  std::string out;
  std::string err;
  double seconds = 0;
  /// All of it in one text: the message of an assertion that fails.
  [[nodiscard]] std::string story() const;
};

/// A started program in a process group of its own, its output going to temporary files, so that
/// it never waits for a reader.
class Process {
 public:
  explicit Process(Command command);
  /// Kills what still runs, descendants too (mpirun's ranks leave its process group).
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Sends a signal to the program alone, or to its whole group.
  void signal(int number) const;
  void signal_group(int number) const;
  /// SIGKILL to it and all its descendants.
  void kill_tree() const;
  /// Ids of the descendants that are alive, itself left out.
  [[nodiscard]] std::vector<pid_t> descendants() const;
  /// A living descendant that runs the program of this name; 0 when there is none.
  [[nodiscard]] pid_t descendant(const std::string& name) const;

  /// What it has written so far.
  [[nodiscard]] std::string out_so_far() const;
  [[nodiscard]] std::string err_so_far() const;
  /// True as soon as its output or error holds `text`; false when it ended without, or after
  /// `limit_s`.
  [[nodiscard]] bool wait_for(const std::string& text, double limit_s = 60);
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
  std::filesystem::path in_;
  std::filesystem::path out_;
  std::filesystem::path err_;
};

/// Starts and waits.
Finished run(Command command);

/// `mpirun` arguments for `ranks` ranks of a program, on this machine, as any user.
[[nodiscard]] std::vector<std::string> mpirun(int ranks, std::vector<std::string> program);

/// The path of a program of ours, build/<preset>/bin/NAME; throws when it is not built.
[[nodiscard]] std::string program(const std::string& name);
/// A copy of a program in `directory` that every user may start: the build may lie below a
/// directory that is closed to others, such as /root. Gives its path.
[[nodiscard]] std::string copy_for_anyone(const std::string& program,
                                          const std::filesystem::path& directory);
/// The command as somebody who is not root, whom no mode would stop; as it is when we are not root.
[[nodiscard]] std::vector<std::string> as_nobody(std::vector<std::string> command);
/// Python that has the packages of tools/requirements-test.txt.
[[nodiscard]] std::string test_python();
/// Python that has PyTorch and what tools/requirements-test-torch.txt lists besides.
[[nodiscard]] std::string test_torch_python();
/// The top of the source tree.
[[nodiscard]] std::filesystem::path source_directory();

}  // namespace evd::test
