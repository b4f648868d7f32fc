#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/hash.hpp"

namespace evd::image {

/// Limits on what is decoded: untrusted bytes decide neither memory nor time.
constexpr int kMaxSide = 8192;
constexpr std::int64_t kMaxPixels = 33'000'000;

/// 8-bit RGB, (height, width, 3), row by row.
struct Rgb {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

struct Info {
  std::string mime;  ///< image/png, image/jpeg, image/webp: by magic, never by name
  int width = 0;
  int height = 0;
};

/// Reads only the header. DataError for another format, or sides outside 1..8192.
[[nodiscard]] Info probe(Bytes encoded);
/// Decodes PNG, JPEG or WebP; alpha is laid over white. DataError when damaged, cut short or over
/// the limits (8192 a side, 33 megapixels). Colour profiles and orientation tags are not followed.
[[nodiscard]] Rgb decode(Bytes encoded);
/// DataError for just the pictures that decode() refuses, without the pixels: a plain PNG takes a
/// fifth of the time.
[[nodiscard]] Info check(Bytes encoded);
/// Lossless, quick rather than small. InternalError when `pixels` does not fit the sides.
[[nodiscard]] std::vector<std::byte> encode_png(const Rgb& image);
/// Cover, then centre crop: aspect kept, area-averaged when shrinking (bicubic when growing).
[[nodiscard]] Rgb resize_cover(const Rgb& image, int width, int height);

}  // namespace evd::image
