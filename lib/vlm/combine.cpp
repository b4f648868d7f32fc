#include "vlm/combine.hpp"

#include <algorithm>
#include <cmath>

namespace evd::vlm {
namespace {

constexpr double kClamp = 1e-6;

double logit(double p) {
  p = std::clamp(p, kClamp, 1.0 - kClamp);
  return std::log(p / (1.0 - p));
}

}  // namespace

Combined combine(std::optional<float> p_ab, std::optional<float> p_ba, double tie_margin) {
  Combined pair;
  if (!p_ab || !p_ba) return pair;
  const double l1 = logit(*p_ab);
  const double l2 = logit(*p_ba);
  const double margin = (l1 - l2) / 2;
  pair.p_ab = *p_ab;
  pair.p_ba = *p_ba;
  pair.margin = static_cast<float>(margin);
  pair.bias = static_cast<float>((l1 + l2) / 2);
  pair.probability = static_cast<float>(1.0 / (1.0 + std::exp(-margin)));
  // A margin of exactly zero decides nothing even when no margin is asked for.
  const bool tie = std::abs(margin) < tie_margin || margin == 0.0;
  pair.verdict = tie ? shard::Verdict::tie : margin > 0 ? shard::Verdict::a : shard::Verdict::b;
  return pair;
}

}  // namespace evd::vlm
