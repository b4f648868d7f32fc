#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "image/image.hpp"

namespace evd::bench {

/// A PNG of about `bytes`, compressible like a photograph: a colour ramp with four bits of grain,
/// half a byte a value. 100 KB are 256 x 256 pixels.
inline std::vector<std::byte> picture(std::size_t bytes, std::uint64_t seed = 1) {
  const int side = std::max(8, static_cast<int>(std::sqrt(static_cast<double>(bytes) / 1.53)));
  image::Rgb rgb{side, side, std::vector<std::uint8_t>(std::size_t(side) * std::size_t(side) * 3)};
  Random random(seed, Purpose::test);
  std::size_t at = 0;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      for (int c = 0; c < 3; ++c)
        rgb.pixels[at++] =
            static_cast<std::uint8_t>((x + y + 40 * c) * 120 / side + random.below(16));
  return image::encode_png(rgb);
}

}  // namespace evd::bench
