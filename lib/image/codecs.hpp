#pragma once

#include <string_view>

#include "image/image.hpp"

/// One function per foreign codec. Each one trusts nothing but the magic bytes and expects that the
/// size from `probe_*` has passed check_size().
namespace evd::image {

/// DataError `<format>: <why>`.
[[noreturn]] void throw_damaged(std::string_view format, std::string_view why);
/// DataError when a side or the area is over the limits.
void check_size(std::string_view format, std::int64_t width, std::int64_t height);
/// (N, 4) bytes over white -> (N, 3).
[[nodiscard]] std::vector<std::uint8_t> over_white(const std::vector<std::uint8_t>& rgba);

[[nodiscard]] Info probe_png(Bytes encoded);
[[nodiscard]] Info probe_jpeg(Bytes encoded);
[[nodiscard]] Info probe_webp(Bytes encoded);

/// Whether every checksum, the length of the pixel data and each row's filter are right:
/// decode_png() takes it then. False also for kinds that this does not look into. Inflates by
/// libdeflate, which needs the whole file and takes a third of zlib's time.
[[nodiscard]] bool is_sound_png(Bytes encoded, const Info& info);

[[nodiscard]] Rgb decode_png(Bytes encoded, const Info& info);
[[nodiscard]] Rgb decode_jpeg(Bytes encoded, const Info& info);
[[nodiscard]] Rgb decode_webp(Bytes encoded, const Info& info);

}  // namespace evd::image
