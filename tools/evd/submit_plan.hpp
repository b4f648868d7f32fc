#pragma once

#include <map>
#include <string>
#include <vector>

#include "run/campaign.hpp"
#include "run/site.hpp"
#include "run/staleness.hpp"
#include "slurm_queue.hpp"
#include "submitted_jobs.hpp"

namespace evd::hands {

/// A job that is to be submitted.
struct PlannedJob {
  run::StageRef ref;
  /// Stages that it waits for, planned or in the queue. One that another of them waits for already
  /// is left out.
  std::vector<run::StageRef> after;
  std::string rerun;  ///< "--rerun=stale" for a stage that has a result, else empty
};

/// What is wanted of the chain.
struct PlanRequest {
  std::vector<run::StageRef> stages;           ///< in the chain's order
  std::map<run::StageRef, std::string> rerun;  ///< stages that are to be done again, and how
};

/// Jobs for the wanted stages that are neither done nor in the queue, each after its inputs.
/// ConfigurationError when an input is not done and nothing is on the way to it. `earlier` tells
/// what jobs in the queue wait for.
[[nodiscard]] std::vector<PlannedJob> plan_jobs(const PlanRequest& request,
                                                run::Standings& standings, const Queue& queue,
                                                const SubmittedJobs& earlier,
                                                const std::filesystem::path& campaign);

/// Every stage of `chain` that reads `ref`, itself or by others, in the chain's order.
[[nodiscard]] std::vector<run::StageRef> followers(const run::StageRef& ref,
                                                   const std::vector<run::StageRef>& chain,
                                                   run::Standings& standings);

/// The command that submits `job`. `after` holds the ids of the jobs that it waits for, or words of
/// a shell that stand for them.
[[nodiscard]] std::vector<std::string> sbatch_command(const run::Campaign& campaign,
                                                      const run::Site& site, const PlannedJob& job,
                                                      const std::vector<std::string>& after);

}  // namespace evd::hands
