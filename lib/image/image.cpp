#include "image/image.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "core/error.hpp"
#include "image/codecs.hpp"

namespace evd::image {
namespace {

enum class Format { png, jpeg, webp, other };

bool starts_with(Bytes encoded, std::string_view magic, std::size_t at = 0) {
  const Bytes wanted = as_bytes(magic);
  return encoded.size() >= at + wanted.size() &&
         std::equal(wanted.begin(), wanted.end(),
                    encoded.begin() + static_cast<std::ptrdiff_t>(at));
}

Format format_of(Bytes encoded) {
  if (starts_with(encoded, "\x89PNG\r\n\x1a\n")) return Format::png;
  if (starts_with(encoded, "\xff\xd8\xff")) return Format::jpeg;
  if (starts_with(encoded, "RIFF") && starts_with(encoded, "WEBP", 8)) return Format::webp;
  return Format::other;
}

}  // namespace

void throw_damaged(std::string_view format, std::string_view why) {
  throw DataError(std::string(format) + " image cannot be used (" + std::string(why) + ")");
}

void check_size(std::string_view format, std::int64_t width, std::int64_t height) {
  const std::string size = std::to_string(width) + " x " + std::to_string(height);
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide)
    throw_damaged(format, size + " pixels: sides must lie in 1.." + std::to_string(kMaxSide));
  if (width * height > kMaxPixels) throw_damaged(format, size + " pixels: more than 33 megapixels");
}

std::vector<std::uint8_t> over_white(const std::vector<std::uint8_t>& rgba) {
  std::vector<std::uint8_t> rgb(rgba.size() / 4 * 3);
  for (std::size_t i = 0, o = 0; i + 3 < rgba.size(); i += 4) {
    const unsigned alpha = rgba[i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned mixed = rgba[i + c] * alpha + 255U * (255U - alpha);
      rgb[o++] = static_cast<std::uint8_t>((mixed + 127U) / 255U);
    }
  }
  return rgb;
}

Info probe(Bytes encoded) {
  switch (format_of(encoded)) {
    case Format::png:
      return probe_png(encoded);
    case Format::jpeg:
      return probe_jpeg(encoded);
    case Format::webp:
      return probe_webp(encoded);
    case Format::other:
      break;
  }
  throw DataError("image: the first bytes are neither PNG, JPEG nor WebP (" +
                  std::to_string(encoded.size()) + " bytes)");
}

Info check(Bytes encoded) {
  Info info = probe(encoded);
  if (info.mime != "image/png" || !is_sound_png(encoded, info)) static_cast<void>(decode(encoded));
  return info;
}

Rgb decode(Bytes encoded) {
  const Info info = probe(encoded);
  if (info.mime == "image/png") return decode_png(encoded, info);
  if (info.mime == "image/jpeg") return decode_jpeg(encoded, info);
  return decode_webp(encoded, info);
}

}  // namespace evd::image
