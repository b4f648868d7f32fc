#pragma once

#include <string_view>

#include "core/hash.hpp"

namespace evd::shard {

/// Id of a prompt at a size: equal prompts at equal sizes are one sample.
/// `canonical` comes from canonical_prompt().
[[nodiscard]] SampleId sample_id(std::string_view canonical, int width, int height);
/// Id of a picture, from its request key and the SHA-256 of its bytes.
[[nodiscard]] ImageId image_id(const RequestKey& key, const Sha256& bytes);

}  // namespace evd::shard
