#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "image/image.hpp"

namespace evd::bench {

enum class Pixels : std::uint8_t {
  grain,  ///< a colour ramp with four bits of grain: half a byte a value, as a photograph
  noise,  ///< eight bits of noise, which a PNG stores as they are: next to nothing to inflate
};

/// A PNG of about `bytes`. 100 KB are 224 x 224 pixels with grain, 182 x 182 of noise.
inline std::vector<std::byte> picture(std::size_t bytes, Pixels pixels, std::uint64_t seed = 1) {
  const double bytes_per_pixel = pixels == Pixels::grain ? 1.98 : 3.01;
  const int side =
      std::max(8, static_cast<int>(std::sqrt(static_cast<double>(bytes) / bytes_per_pixel)));
  image::Rgb rgb{side, side, std::vector<std::uint8_t>(std::size_t(side) * std::size_t(side) * 3)};
  Random random(seed, Purpose::test);
  std::size_t at = 0;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      for (int c = 0; c < 3; ++c) {
        const std::uint64_t ramp =
            static_cast<std::uint64_t>((x + y + 40 * c) * 120 / side) + random.below(16);
        rgb.pixels[at++] =
            static_cast<std::uint8_t>(pixels == Pixels::grain ? ramp : random.below(256));
      }
  return image::encode_png(rgb);
}

}  // namespace evd::bench
