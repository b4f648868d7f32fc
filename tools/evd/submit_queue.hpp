#pragma once

#include <cstdint>
#include <vector>

#include "run/campaign.hpp"
#include "slurm_queue.hpp"

namespace evd::hands {

/// When squeue cannot be asked: refuse to go on, or take no job to be in the queue.
enum class Unreachable : std::uint8_t { refuse, empty };

/// The campaign's jobs in the queue. A job that just ends is waited for, unless one only looks
/// (`empty`): only then do its files tell how it ended. ServiceError when Slurm cannot be asked
/// and that is to be refused.
[[nodiscard]] Queue settled_queue(const run::Campaign& campaign, Unreachable unreachable);

/// Adds those of `stages` that jobs run which `evd submit` did not make: they hold a lease all the
/// same. ConfigurationError when one is being run outside Slurm.
void add_jobs_by_hand(const run::Campaign& campaign, const std::vector<run::StageRef>& stages,
                      Queue& queue);

}  // namespace evd::hands
