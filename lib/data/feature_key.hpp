#pragma once

#include <string_view>

#include "core/id.hpp"
#include "data/aspect.hpp"

namespace evd::data {

/// What makes the states of a text: all that can change a bit of them.
struct TextEncoding {
  Sha256 encoder;            ///< digest of weights and tokenizer
  std::string_view compute;  ///< dtype that the encoder computed in
  int max_tokens = 0;
};
/// Key of a prompt's states. `prompt` as it is encoded: what nn::read_text() makes of it.
[[nodiscard]] RequestKey text_key(std::string_view prompt, const TextEncoding& encoding);

/// What makes latents of a picture, beside the picture.
struct LatentEncoding {
  Sha256 encoder;  ///< digest of the VAE
  int tile = 0;    ///< px; 0 = whole pictures
};
/// Key of a picture's latents: `image` is the SHA-256 of its encoded bytes, brought to the size of
/// `bucket` by the one resize rule (cover, then centre crop).
[[nodiscard]] RequestKey latent_key(const Sha256& image, const AspectBucket& bucket,
                                    const LatentEncoding& encoding);

}  // namespace evd::data
