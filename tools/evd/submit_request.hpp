#pragma once

#include <optional>

#include "run/campaign.hpp"
#include "slurm_queue.hpp"
#include "submit_options.hpp"
#include "submit_plan.hpp"

namespace evd::hands {

/// The stages that the options want: the chain, or one stage and what follows from it. Tells on
/// standard error what would be done again and what that was worth. Nothing when stale results
/// stand in the way and --redo-stale was not given. UsageError, ConfigurationError when the stage
/// cannot be done now.
[[nodiscard]] std::optional<PlanRequest> wanted_stages(const SubmitOptions& options,
                                                       const run::Campaign& campaign,
                                                       const Queue& queue);

}  // namespace evd::hands
