#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/log.hpp"
#include "train/batch.hpp"

namespace evd::train {

/// Steps whose loss or gradient is not finite are left out, on all ranks alike, and counted; after
/// `max_in_row` of them in a row training gives up.
class Guard {
 public:
  Guard(std::int64_t max_in_row, std::int64_t in_row) : max_(max_in_row), in_row_(in_row) {}

  /// Whether this step is left out. DataError when it was one too many.
  [[nodiscard]] bool leaves_out(double loss, double gradient_norm, std::int64_t step);
  [[nodiscard]] std::int64_t in_row() const { return in_row_; }

 private:
  std::int64_t max_;
  std::int64_t in_row_;
};

/// Warns of the samples of this rank's part whose loss is not finite, by id.
void name_culprits(const Part& part, std::span<const float> losses, std::int64_t step,
                   const Log& log);

}  // namespace evd::train
