#pragma once

#include <memory>

#include "nn/latent_codec.hpp"
#include "nn/options.hpp"
#include "nn/texts.hpp"

namespace evd::nn {

/// What a network works between, when it is not hashed words and pixels.
struct Encoders {
  std::shared_ptr<const Texts> texts;          ///< null = hashed words
  std::shared_ptr<const LatentCodec> latents;  ///< null = the network draws pixels
  NullText null_text = NullText::encoded;      ///< hashed words always take the weights' own
};

/// ConfigurationError when the texts' or latents' channels are not the network's.
void check_texts(const Texts& texts, const NetworkOptions& network);
void check_latents(const LatentCodec& latents, const NetworkOptions& network);
/// Both, and that there are the encoders that the network needs.
void check(const Encoders& encoders, const NetworkOptions& network);

}  // namespace evd::nn
