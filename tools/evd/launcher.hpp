#pragma once

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace evd::hands {

/// Command line that starts `program` on `ranks` ranks of this machine. EVD_MPIRUN names another
/// mpirun. ConfigurationError when there is none.
[[nodiscard]] std::vector<std::string> launch_command(int ranks,
                                                      const std::vector<std::string>& program);

/// How a started job ended.
struct JobEnd {
  int code = 0;               ///< exit code, 128 + signal when a signal ended it
  bool told_to_stop = false;  ///< by Ctrl-C or SIGTERM to us
  bool killed = false;        ///< by a second one
  double wall_s = 0;
};

/// Runs jobs one after the other. A job has a process group of its own: a Ctrl-C comes to us alone,
/// and is forwarded as SIGUSR1, which mpirun hands to the ranks (at SIGTERM it would kill them
/// after a second). A second Ctrl-C ends the job at once. When we die, the job is told to save and
/// leave.
class JobRunner {
 public:
  JobRunner();
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  struct Job {
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;
    std::filesystem::path log;    ///< both of its outputs are appended here
    std::function<void()> every;  ///< called five times a second while it runs
  };
  [[nodiscard]] JobEnd run(const Job& job);
  /// Whether a stop signal came while no job ran. It is taken: left pending, it would end us by
  /// itself as soon as it is no longer blocked.
  [[nodiscard]] bool take_stop();

 private:
  sigset_t stops_{};    // SIGINT, SIGTERM, SIGHUP
  sigset_t signals_{};  // those and SIGCHLD
  sigset_t before_{};
};

}  // namespace evd::hands
