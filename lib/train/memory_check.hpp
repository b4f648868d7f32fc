#pragma once

#include <vector>

#include "train/memory_limit.hpp"
#include "train/memory_plan.hpp"

namespace evd::train {

/// ConfigurationError when the plan is beyond the least limit of the node or of the process: before
/// hours of reading end in a killed rank. It names the limit, the largest buffers and what lowers
/// them.
void check_memory(const MemoryPlan& plan, int ranks_on_node,
                  const std::vector<MemoryLimit>& limits);

}  // namespace evd::train
