#include "nn/encoders.hpp"

#include "core/error.hpp"

namespace evd::nn {

void check_texts(const Texts& texts, const NetworkOptions& network) {
  if (texts.width() == network.caption_width) return;
  throw ConfigurationError("network.caption_width = " + std::to_string(network.caption_width) +
                           ", but T5's states have " + std::to_string(texts.width()) + " channels");
}

void check_latents(const LatentCodec& latents, const NetworkOptions& network) {
  if (latents.channels() == network.channels) return;
  throw ConfigurationError("network.channels = " + std::to_string(network.channels) +
                           ", but the VAE's latents have " + std::to_string(latents.channels()));
}

void check(const Encoders& encoders, const NetworkOptions& network) {
  if ((network.text_encoder == TextKind::t5) != (encoders.texts != nullptr)) {
    throw InternalError("the network reads another kind of text than it is given");
  }
  if (encoders.texts) check_texts(*encoders.texts, network);
  if (encoders.latents) {
    check_latents(*encoders.latents, network);
  } else if (network.channels != 3) {
    throw ConfigurationError("network.channels = " + std::to_string(network.channels) +
                             ": pictures have 3 channels (latents need vae.folder)");
  }
}

}  // namespace evd::nn
