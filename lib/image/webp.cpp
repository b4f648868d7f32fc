#include <webp/decode.h>

#include "core/error.hpp"
#include "image/codecs.hpp"

namespace evd::image {
namespace {

constexpr std::string_view kFormat = "WebP";

const std::uint8_t* data(Bytes encoded) {
  return static_cast<const std::uint8_t*>(static_cast<const void*>(encoded.data()));
}

std::uint64_t riff_bytes(Bytes encoded) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 4;) value = value << 8 | data(encoded)[i];
  return value + 8;
}

std::string_view reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return "cut short";
    case VP8_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "unsupported feature";
    default:
      return "damaged bitstream";
  }
}

}  // namespace

Info probe_webp(Bytes encoded) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(data(encoded), encoded.size(), &features);
  if (status != VP8_STATUS_OK) throw_damaged(kFormat, reason(status));
  if (features.has_animation != 0) throw_damaged(kFormat, "an animation, not a picture");
  check_size(kFormat, features.width, features.height);
  return {"image/webp", features.width, features.height};
}

Rgb decode_webp(Bytes encoded, const Info& info) {
  // Later chunks may be cut without the decoder noticing.
  if (riff_bytes(encoded) > encoded.size()) throw_damaged(kFormat, "cut short");
  const std::size_t stride_bytes = static_cast<std::size_t>(info.width) * 4;
  std::vector<std::uint8_t> rgba(stride_bytes * static_cast<std::size_t>(info.height));
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) throw InternalError("libwebp: version mismatch");
  config.output.colorspace = MODE_RGBA;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {rgba.data(), static_cast<int>(stride_bytes), rgba.size()};
  const VP8StatusCode status = WebPDecode(data(encoded), encoded.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) throw_damaged(kFormat, reason(status));
  return {info.width, info.height, over_white(rgba)};
}

}  // namespace evd::image
