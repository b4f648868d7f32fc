#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evd::run {

/// How long a rank waited until it saw what another had published. Nothing = not within
/// kVisibilityLimit_s.
using Seen = std::optional<double>;
constexpr double kVisibilityLimit_s = 90;

/// What one rank of evd-probe found out about its place; nothing = it could not be found out.
struct RankFacts {
  int rank = 0;
  int node_rank = 0;
  int node_size = 1;
  std::string host;
  int cpus = 0;                                    ///< that it may run on, by its affinity
  std::optional<double> cpu_quota;                 ///< of its control group, in CPUs
  std::optional<std::int64_t> memory_bytes;        ///< of the node
  std::optional<std::int64_t> memory_limit_bytes;  ///< of its control group
  int gpus_present = 0;                            ///< device files
  int gpus_usable = 0;                             ///< that it may open
  std::optional<std::string> cuda_visible_devices;
  std::optional<int> slurm_ntasks;
  std::optional<int> slurm_cpus_per_task;
  std::vector<double> clock_s;  ///< UTC at each of a few moments that are the same for all ranks
  std::string trouble;          ///< why it could not write or read; empty = it could
  Seen new_file;                ///< a name that it had never looked up
  Seen looked_up_file;          ///< a name that it had looked up before it was there
  Seen replaced_file;           ///< new content under a name that it had read
  bool link_won = false;        ///< of all ranks one may make a link
};

/// What rank 0 found out about the directory.
struct DirectoryFacts {
  std::string path;
  std::string trouble;      ///< why it could not be written to; empty = it could
  std::string file_system;  ///< nfs, lustre, ext4, ...; a number when its kind is not known
  std::int64_t free_bytes = 0;
  std::optional<std::int64_t> free_inodes;  ///< nothing = the file system does not count them
  unsigned mode = 0;
  std::string group;
  double publish_s = 0;  ///< write, fsync, read back, rename, fsync of the directory
  Seen own_files;        ///< until rank 0 saw the files of all others
  bool flock = false;
  bool fcntl_lock = false;
};

/// One MPI world of evd-probe. A launcher and an MPI that do not understand each other give one
/// for each task.
struct ProbeReport {
  static constexpr int kVersion = 1;
  std::string software;
  int world = 0;
  std::optional<int> launched;  ///< ranks, as the launcher's environment says
  DirectoryFacts directory;
  std::vector<RankFacts> ranks;
};

[[nodiscard]] std::string to_json(const RankFacts& facts);
/// DataError when it is none.
[[nodiscard]] RankFacts parse_rank_facts(std::string_view json);
/// One line, with a mark by which it is found in a job's output.
[[nodiscard]] std::string to_line(const ProbeReport& report);
/// The reports in what a job wrote; lines that are none are passed over.
[[nodiscard]] std::vector<ProbeReport> find_reports(std::string_view output);

}  // namespace evd::run
