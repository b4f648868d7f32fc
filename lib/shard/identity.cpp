#include "shard/identity.hpp"

namespace evd::shard {

SampleId sample_id(std::string_view canonical, int width, int height) {
  Sha256Stream stream;
  stream.field("evolvedirector sample 1").field(canonical);
  stream.field(static_cast<std::uint64_t>(width)).field(static_cast<std::uint64_t>(height));
  return truncated<SampleId>(stream.finish());
}

ImageId image_id(const RequestKey& key, const Sha256& bytes) {
  Sha256Stream stream;
  stream.field("evolvedirector image 1").field(key.hex()).field(bytes.hex());
  return truncated<ImageId>(stream.finish());
}

}  // namespace evd::shard
