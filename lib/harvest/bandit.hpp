#pragma once

#include <cstddef>
#include <vector>

#include "core/random.hpp"

namespace evd::harvest {

/// A teacher as the bandit sees it.
struct Arm {
  double wins = 0;
  double losses = 0;
  double price_usd = 0;
};

/// A draw from Beta(a, b), a and b >= 1 (Marsaglia and Tsang, ACM TOMS 2000).
[[nodiscard]] double sample_beta(double a, double b, Random& random);

/// Thompson sampling: draws a rate for each arm from Beta(1 + wins, 1 + losses) and takes the one
/// with most per dollar. Where some arms are free, prices do not count.
[[nodiscard]] std::size_t choose_arm(const std::vector<Arm>& arms, Random random);

}  // namespace evd::harvest
