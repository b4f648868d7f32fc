#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "data/samples.hpp"
#include "image/image.hpp"

namespace evd::data {

/// Pictures of one size by index, decoded on first use and then held in memory as bytes, up to a
/// limit; what does not fit is loaded anew at each use. Thread-safe.
class Pictures final : public Samples {
 public:
  using Load = std::function<image::Rgb(std::size_t index)>;  ///< (side, side, 3); thread-safe

  Pictures(std::size_t count, int side_px, Load load, std::size_t limit_bytes = kLimitBytes);

  /// Values of one picture: 3 * side * side.
  [[nodiscard]] std::size_t picture_values() const { return values_; }
  [[nodiscard]] Loaded load(std::size_t index) const override;
  /// Fills `out` with (3, side, side) values in [-1, 1]. Throws what `load` throws.
  void copy_to(std::size_t index, std::span<float> out) const;

  static constexpr std::size_t kLimitBytes = std::size_t{1} << 30;

 private:
  [[nodiscard]] std::vector<std::uint8_t> pixels(std::size_t index) const;

  int side_px_;
  std::size_t values_;
  Load load_;
  std::size_t room_;  // pictures that may still be held
  mutable std::shared_mutex mutex_;
  mutable std::size_t held_count_ = 0;
  mutable std::vector<std::vector<std::uint8_t>> held_;
};

}  // namespace evd::data
