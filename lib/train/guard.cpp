#include "train/guard.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace evd::train {
namespace {

double median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return double{*middle};
}

}  // namespace

Verdict Guard::judge(std::int64_t step, double loss, double gradient_norm, std::int64_t updates) {
  auto& norms = memory_.norms;
  Verdict verdict = Verdict::apply;
  if (!std::isfinite(loss) || !std::isfinite(gradient_norm)) {
    verdict = Verdict::not_finite;
  } else if (options_.spike_factor > 0 && updates >= options_.spike_after && !norms.empty() &&
             gradient_norm > options_.spike_factor * median(norms)) {
    verdict = Verdict::spike;
  }
  if (verdict != Verdict::apply) {
    memory_.in_row.push_back(step);
    return verdict;
  }
  memory_.in_row.clear();
  if (norms.size() == kNorms) norms.erase(norms.begin());
  norms.push_back(static_cast<float>(gradient_norm));
  return verdict;
}

bool Guard::is_lost() const {
  return static_cast<std::int64_t>(memory_.in_row.size()) > options_.max_in_row;
}

bool Guard::skips(std::int64_t step) const {
  return std::binary_search(memory_.skipped.begin(), memory_.skipped.end(), step);
}

void name_culprits(Verdict verdict, std::span<const shard::Visit> visits, const shard::Step& step,
                   const Log& log) {
  constexpr std::size_t kNamed = 4;
  std::vector<std::string> culprits;
  std::vector<std::string> all;
  for (const auto& visit : visits) {
    all.push_back(visit.sample.hex());
    if (!std::isfinite(visit.loss)) culprits.push_back(visit.sample.hex());
  }
  auto& named = culprits.empty() ? all : culprits;
  const std::size_t more = named.size() > kNamed ? named.size() - kNamed : 0;
  if (more > 0) {
    named.resize(kNamed);
    named.push_back("and " + std::to_string(more) + " more");
  }
  const std::string what =
      !culprits.empty() ? "loss is not finite for sample "
      : verdict == Verdict::spike
          ? format("gradient norm %.3g is a spike; its samples: ", double{step.gradient_norm})
          : "gradient is not finite; its samples: ";
  log.warning("step " + std::to_string(step.step) + " is left out: " + what + join(named, ", "));
}

}  // namespace evd::train
