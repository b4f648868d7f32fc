#pragma once

#include <cstdint>
#include <span>

namespace evd::judge {

/// A figure with its 95 % interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
  std::int64_t count = 0;
};

/// Share of `hits` (ties may count half) in `count`, with the Wilson score interval, which stays
/// inside 0..1 and is sound for few samples (Wilson 1927). All zero when count is 0.
[[nodiscard]] Estimate wilson(double hits, std::int64_t count);

/// Mean with the normal interval of its standard error. All zero when there are no values.
[[nodiscard]] Estimate mean_estimate(std::span<const double> values);

}  // namespace evd::judge
