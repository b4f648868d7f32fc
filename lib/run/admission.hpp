#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "run/campaign.hpp"
#include "run/lease.hpp"
#include "run/program.hpp"
#include "run/staleness.hpp"

namespace evd::run {

struct AdmissionRequest {
  StageRef self;
  Rerun rerun = Rerun::no;
  bool yes = false;
  std::string job;
  int ranks = 1;
};

/// Leave to run a stage, given on rank 0: the lease, a directory that holds nothing of other
/// inputs, and the inputs as they are now.
struct Admission {
  std::unique_ptr<Lease> lease;
  std::vector<shard::InputEntry> inputs;
};

/// Nothing (a null lease) when the stage is done already and no rerun is asked for, or an earlier
/// life of this Slurm job has made the rerun. Throws with
/// what to type when it is stale, its inputs are not finished or stale, a file of an input is
/// missing, of another length or another campaign's, a reader of its result runs (rerun), or
/// somebody else runs it.
[[nodiscard]] Admission admit(const Campaign& campaign, const AdmissionRequest& request,
                              const LeaseProbes& probes, const LeaseTiming& timing, const Log& log);

/// Contents of what `ref` reads, as published now; throws unless all are done and not stale.
[[nodiscard]] std::vector<shard::InputEntry> current_inputs(Standings& standings,
                                                            const StageRef& ref,
                                                            const std::filesystem::path& campaign);

/// "evd-judge DIR --round 3", with `more` behind.
[[nodiscard]] std::string command_of(const StageRef& ref, const std::filesystem::path& campaign,
                                     const std::string& more = "");

}  // namespace evd::run
