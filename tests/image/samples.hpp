#pragma once

#include <string_view>

#include "image/image.hpp"

namespace evd::image::test {

using File = std::vector<std::byte>;

/// A picture from a formula: p(x, y, c) = (37 x + 59 y + 101 c + 7 x y) mod 256.
[[nodiscard]] Rgb formula_image(int width, int height);
/// A smooth picture, which lossy formats keep within a few levels.
[[nodiscard]] Rgb smooth_image(int width, int height);

enum class Scans { baseline, progressive };
[[nodiscard]] File jpeg_file(const Rgb& image, Scans scans = Scans::baseline);
[[nodiscard]] File webp_file(const Rgb& image);
[[nodiscard]] File webp_lossless_file(const Rgb& image);
/// PNG of any kind: rows are `stride_bytes` each, laid out as `color_type` and `bit_depth` say.
struct RawPng {
  int width = 0;
  int height = 0;
  int bit_depth = 8;
  int color_type = 0;
  bool interlaced = false;
  std::vector<std::uint8_t> pixels;
};
[[nodiscard]] File png_file(const RawPng& raw);
/// A PNG header alone, with a right checksum.
[[nodiscard]] File png_header(std::uint32_t width, std::uint32_t height);

/// What `decode` says about these bytes; "" when it takes them. Anything but DataError escapes.
[[nodiscard]] std::string complaint(Bytes encoded);
[[nodiscard]] int largest_difference(const Rgb& a, const Rgb& b);

}  // namespace evd::image::test
