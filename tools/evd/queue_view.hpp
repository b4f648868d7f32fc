#pragma once

#include <map>

#include "run/campaign.hpp"
#include "situation.hpp"
#include "slurm_queue.hpp"
#include "submitted_jobs.hpp"

namespace evd::hands {

using Looks = std::map<run::StageRef, Situation>;

/// Tells in `looks` what Slurm knows of stages that are not done: those in the queue wait or run
/// there, and those that were submitted and are in it no more did not run or did not end well;
/// `cancelled` are those that waited for one of the latter.
/// What to type about these is one `evd submit`. A queue that could not be asked tells nothing.
void add_queue(Looks& looks, const QueueAnswer& answer, const SubmittedJobs& jobs,
               const run::Campaign& campaign);

}  // namespace evd::hands
