#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "nn/weight_set.hpp"

namespace evd::nn {

/// Shape of an AutoencoderKL of Stable Diffusion. Defaults: sd-vae-ft-ema, the one that PixArt
/// uses.
struct VaeOptions {
  int latent_channels = 4;
  std::vector<int> widths = {128, 256, 512, 512};  ///< diffusers' block_out_channels
  int layers = 2;                                  ///< resnets of a level of the encoder
  int groups = 32;                                 ///< of every group norm
  double scaling_factor = 0.18215;                 ///< diffusion works on latents times this
  int sample_size = 256;                           ///< px, side of a tile
  bool quant_conv = true;
  bool post_quant_conv = true;
  bool mid_attention = true;

  /// Pixels of a latent's side.
  [[nodiscard]] int stride() const { return 1 << (static_cast<int>(widths.size()) - 1); }
};

/// What `config.json` of diffusers says; `where` stands in messages. DataError that names the key
/// and the value that this network cannot be.
[[nodiscard]] VaeOptions parse_vae_options(std::string_view config, const std::string& where);
/// The same of the config.json beside the weights: `weights` is their folder or a file in it.
[[nodiscard]] VaeOptions read_vae_options(const std::filesystem::path& weights);

/// Every tensor of the network, diffusers' names.
[[nodiscard]] std::vector<WantedTensor> vae_tensors(const VaeOptions& options);

}  // namespace evd::nn
