#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "image/image.hpp"
#include "rehearsal/scene.hpp"

namespace evd::rehearsal {

/// A picture taken apart into its paints, as the reader sees it: for each pixel of a 32 x 32 copy,
/// which paint lies there and how much of the pixel it covers. Edges are mixtures of a paint and
/// the background, so a pixel is explained as background + cover * (paint - background).
class Coverage {
 public:
  static constexpr int kSide = 32;
  static constexpr int kSkin = kColours;  ///< paint index after the six colours
  static constexpr int kPaints = kColours + 1;
  using Map = std::array<float, std::size_t{kSide} * kSide>;  // (row, column), 0..1

  /// A picture of any size from 16 px a side.
  explicit Coverage(const image::Rgb& picture);

  [[nodiscard]] const Map& of(int paint) const { return maps_.at(static_cast<std::size_t>(paint)); }
  [[nodiscard]] const Map& of(Colour colour) const { return of(static_cast<int>(colour)); }

 private:
  std::array<Map, kPaints> maps_{};
};

/// Columns left..right-1 and rows top..bottom-1 of a picture.
struct Box {
  int left = 0;
  int top = 0;
  int right = Coverage::kSide;
  int bottom = Coverage::kSide;
};

/// Moments of what a paint covers in a box.
struct Moments {
  double mass = 0;  ///< covered pixels
  double x = 0;     ///< centre
  double y = 0;
  double xx = 0;  ///< central second moments over the mass
  double yy = 0;
  double xxyy = 0;  ///< mean of (x - centre)^2 (y - centre)^2
  double yyy = 0;   ///< mean of (y - centre)^3
};
[[nodiscard]] Moments moments(const Coverage::Map& map, const Box& box);

}  // namespace evd::rehearsal
