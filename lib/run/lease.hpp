#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/log.hpp"
#include "run/campaign.hpp"

namespace evd::run {

/// Round of a lease that is held for no stage.
constexpr int kNoRound = -2;

/// Who runs a stage: leases/<stage>-<round>.json. It stays after the end, marked released, so that
/// attempts are counted.
struct LeaseRecord {
  std::string stage;
  int round = 0;
  std::string user;
  std::string host;
  std::string boot_id;
  std::string pid_namespace;  ///< process numbers mean nothing in another one (containers)
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< of the process, since boot: tells it from a reused number
  std::string slurm_job;
  int slurm_restart = 0;
  std::string job;    ///< as logs and journals name it
  std::string nonce;  ///< of this holder, never used again
  int attempt = 0;    ///< lives of this stage so far, this one included
  int ranks = 1;
  std::int64_t counter = 0;  ///< rises at each renewal
  std::int64_t acquired_ms = 0;
  std::int64_t renewed_ms = 0;
  bool released = false;
};
/// The stage that it holds.
[[nodiscard]] StageRef ref_of(const LeaseRecord& record);
[[nodiscard]] std::string to_json(const LeaseRecord& record);
/// For those who look on: nothing when there is no such file, it is not a lease or cannot be read.
[[nodiscard]] std::optional<LeaseRecord> read_lease(const std::filesystem::path& path);
/// For those who decide by it: nothing when there is no such file or it is not a lease. IoError
/// when it is there and cannot be read: it may be somebody's.
[[nodiscard]] std::optional<LeaseRecord> lease_at(const std::filesystem::path& path);

/// This process as a holder of `ref`, with a fresh nonce.
[[nodiscard]] LeaseRecord lease_identity(const StageRef& ref, const std::string& job, int ranks);

enum class Liveness : std::uint8_t { alive, gone, unknown };

/// What can be asked about another process or job.
struct LeaseProbes {
  /// Start time of a process of this machine, nothing when there is none.
  std::function<std::optional<std::uint64_t>(std::int64_t pid)> start_ticks_of;
  /// Whether squeue knows the job; nothing when it cannot be asked.
  std::function<std::optional<bool>(const std::string& job)> squeue_knows;
};
[[nodiscard]] LeaseProbes system_probes();

/// The rules of takeover that need no waiting: gone when released, when its process is gone on the
/// same boot, when ours is a later life of the same Slurm job, or when squeue does not know its
/// job. Unknown = only its counter can tell.
[[nodiscard]] Liveness liveness(const LeaseRecord& other, const LeaseRecord& self,
                                const LeaseProbes& probes);
/// "anna on node7 (process 123, job 77-0) since 2026-01-31T23:59:59Z".
[[nodiscard]] std::string describe(const LeaseRecord& record);

struct LeaseTiming {
  double renew_s = 15;
  double watch_s = 90;  ///< of the observer's monotonic clock, when only the counter can tell
  double poll_s = 0.25;
};

/// Holds a stage for this process; released by the destructor. A helper thread, which makes no MPI
/// call, renews the counter.
class Lease {
 public:
  /// ConfigurationError (78) when somebody else runs the stage: two jobs on one stage are a launch
  /// mistake; 75 would make a batch script requeue the second one for ever.
  /// `on_lost` is called from the helper thread when another one has taken over.
  Lease(std::filesystem::path path, LeaseRecord self, const LeaseProbes& probes,
        const LeaseTiming& timing, const Log& log, std::function<void()> on_lost);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  [[nodiscard]] int attempt() const;
  /// Throws ConfigurationError when the lease is no longer ours: asked just before publishing.
  void confirm() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::run
