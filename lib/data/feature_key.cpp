#include "data/feature_key.hpp"

#include "core/hash.hpp"

namespace evd::data {

RequestKey text_key(std::string_view prompt, const TextEncoding& encoding) {
  Sha256Stream stream;
  stream.field("text feature 1").field(prompt).field(encoding.encoder.hex());
  stream.field(encoding.compute).field(static_cast<std::uint64_t>(encoding.max_tokens));
  return RequestKey(stream.finish().bytes());
}

RequestKey latent_key(const Sha256& image, const AspectBucket& bucket,
                      const LatentEncoding& encoding) {
  Sha256Stream stream;
  stream.field("latent feature 1").field(image.hex()).field("cover, centre crop");
  stream.field(static_cast<std::uint64_t>(bucket.height_px));
  stream.field(static_cast<std::uint64_t>(bucket.width_px));
  stream.field(encoding.encoder.hex()).field(static_cast<std::uint64_t>(encoding.tile));
  return RequestKey(stream.finish().bytes());
}

}  // namespace evd::data
