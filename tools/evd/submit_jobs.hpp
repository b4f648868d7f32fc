#pragma once

#include <vector>

#include "run/campaign.hpp"
#include "run/site.hpp"
#include "run/staleness.hpp"
#include "slurm_queue.hpp"
#include "submit_lease.hpp"
#include "submit_plan.hpp"
#include "submitted_jobs.hpp"

namespace evd::hands {

/// Gives `jobs` to sbatch one by one, each after those that it waits for, and prints the table.
/// jobs.json (`earlier` and what is new) is published after each: what is submitted is never
/// forgotten. ConfigurationError when sbatch refuses one; those before it stay.
void submit_jobs(const run::Campaign& campaign, const run::Site& site,
                 const std::vector<PlannedJob>& jobs, const SubmitLease& lease, Queue queue,
                 SubmittedJobs earlier);

/// Prints lines that a shell can be given: each leaves its job's number in a variable.
void print_commands(const run::Campaign& campaign, const run::Site& site,
                    const std::vector<PlannedJob>& jobs, const Queue& queue);

/// Prints the wanted stages that need no new job, and why.
void print_others(const PlanRequest& request, const std::vector<PlannedJob>& jobs,
                  const Queue& queue, run::Standings& standings);

}  // namespace evd::hands
