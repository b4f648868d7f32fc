#include "train/memory_check.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::train {
namespace {

void check(const MemoryPlan& plan, double needed, const std::string& who, int fit,
           const std::optional<MemoryLimit>& limit) {
  if (!limit || needed <= limit->bytes) return;
  throw ConfigurationError(
      format("training needs %s %s, and %s leaves %s (%s). Largest: %s. evd-train --plan prints "
             "all of it",
             human_bytes(needed).c_str(), who.c_str(), limit->name.c_str(),
             human_bytes(limit->bytes).c_str(),
             fit > 0 ? format("%d rank%s a node would fit", fit, fit == 1 ? "" : "s").c_str()
                     : "not even one rank fits",
             plan.largest(3).c_str()));
}

}  // namespace

void check_memory(const MemoryPlan& plan, int ranks_on_node,
                  const std::vector<MemoryLimit>& limits) {
  const auto node = least(limits, MemoryLimit::Of::node);
  check(plan, plan.node_bytes(ranks_on_node),
        format("on this node of %d rank%s", ranks_on_node, ranks_on_node == 1 ? "" : "s"),
        node ? plan.ranks_that_fit(node->bytes) : 0, node);
  check(plan, plan.card_bytes(), "on each card", 0, least(limits, MemoryLimit::Of::card));
  const auto process = least(limits, MemoryLimit::Of::process);
  check(plan, plan.rank_bytes(), "in each rank",
        process && plan.rank_bytes() <= process->bytes ? 1 : 0, process);
}

}  // namespace evd::train
