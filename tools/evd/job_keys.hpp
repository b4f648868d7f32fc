#pragma once

#include <string>
#include <vector>

#include "run/campaign.hpp"
#include "submit_plan.hpp"

namespace evd::hands {

/// ConfigurationError when one of these jobs asks a service whose key stands in a variable of the
/// environment: Slurm stores what a job's environment holds.
void require_key_files(const run::Campaign& campaign, const std::vector<PlannedJob>& jobs);

/// Every variable that any round's configuration names as a key, sorted: none may reach sbatch.
[[nodiscard]] std::vector<std::string> key_variables(const run::Campaign& campaign);

}  // namespace evd::hands
