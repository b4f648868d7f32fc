#include "judge/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace evd::judge {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the standard normal

}  // namespace

Estimate wilson(double hits, std::int64_t count) {
  if (count <= 0) return {};
  const auto n = static_cast<double>(count);
  const double p = hits / n;
  const double z2 = kZ * kZ;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  // The ends are exact in theory, not in rounding.
  const double low = hits <= 0 ? 0.0 : std::max(0.0, centre - half);
  const double high = hits >= n ? 1.0 : std::min(1.0, centre + half);
  return {p, low, high, count};
}

Estimate mean_estimate(std::span<const double> values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double half = n < 2 ? 0.0 : kZ * std::sqrt(squares / (n - 1) / n);
  return {mean, mean - half, mean + half, std::ssize(values)};
}

}  // namespace evd::judge
