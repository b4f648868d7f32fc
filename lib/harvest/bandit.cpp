#include "harvest/bandit.hpp"

#include <algorithm>
#include <cmath>

namespace evd::harvest {
namespace {

// Gamma(shape, 1) for shape >= 1.
double sample_gamma(double shape, Random& random) {
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    const double u = 1 - random.uniform();  // never 0
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace

double sample_beta(double a, double b, Random& random) {
  const double x = sample_gamma(a, random);
  const double y = sample_gamma(b, random);
  return x / (x + y);
}

std::size_t choose_arm(const std::vector<Arm>& arms, Random random) {
  const bool some_are_free =
      std::any_of(arms.begin(), arms.end(), [](const Arm& arm) { return arm.price_usd <= 0; });
  std::size_t best = 0;
  double best_worth = -1;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const double rate = sample_beta(1 + arms[i].wins, 1 + arms[i].losses, random);
    const double worth = some_are_free ? rate : rate / arms[i].price_usd;
    if (worth <= best_worth) continue;
    best = i;
    best_worth = worth;
  }
  return best;
}

}  // namespace evd::harvest
