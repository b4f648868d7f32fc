#pragma once

#include <filesystem>
#include <string>

#include "doctor_slurm.hpp"
#include "launcher.hpp"

namespace evd::hands {

/// A directory of its own in the one that is looked at, for what the ranks write; removed at the
/// end. IoError when it cannot be made.
class ProbeDirectory {
 public:
  explicit ProbeDirectory(const std::filesystem::path& parent);
  ~ProbeDirectory();
  ProbeDirectory(const ProbeDirectory&) = delete;
  ProbeDirectory& operator=(const ProbeDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// How evd-probe ended, and all that it and its launcher wrote.
struct ProbeRun {
  int code = 0;
  std::string output;
};
/// On ranks of this machine, by mpirun. Stopped when a signal comes.
[[nodiscard]] ProbeRun probe_here(JobRunner& runner, int ranks,
                                  const std::filesystem::path& directory);
/// As a job of a few minutes with the options of a stage. Says on standard error what it waits for;
/// at a signal the job is cancelled, and Stopped thrown. ConfigurationError when sbatch does not
/// take it.
[[nodiscard]] ProbeRun probe_by_slurm(JobRunner& runner, const SiteChoice& choice, run::Stage stage,
                                      const std::filesystem::path& directory);

}  // namespace evd::hands
