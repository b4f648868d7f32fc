#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/vae_layers.hpp"
#include "nn/vae_options.hpp"

namespace evd::nn {

/// What the encoder says of a picture: latents are mean + std * noise, and diffusion works on them
/// times VaeOptions::scaling_factor.
struct LatentDistribution {
  at::Tensor mean;  ///< (B, latent_channels, H / stride, W / stride)
  at::Tensor std;
};

/// Stable Diffusion's autoencoder (diffusers' AutoencoderKL), for inference. One picture is worked
/// on at a time, whatever the batch.
class Vae {
 public:
  /// Copies the weights to the device and in the type of `place`, where everything is computed, so
  /// that `weights` may go. Names of diffusers, old and new, and of the
  /// latent-diffusion code. DataError: missing, unexpected or misshapen tensors.
  Vae(const VaeOptions& options, const WeightSet& weights,
      const at::TensorOptions& place = at::kFloat);

  /// `pictures` (B, 3, H, W) in [-1, 1]; H and W are multiples of options().stride(), DataError
  /// otherwise. `tile` is 0, or the side in pixels of the tiles that a larger picture is worked on
  /// in, a multiple of 4 stride() (diffusers: sample_size): less memory, and nearly the same
  /// picture.
  [[nodiscard]] LatentDistribution encode(const at::Tensor& pictures, int tile = 0) const;
  /// `latents` (B, latent_channels, h, w) as mean and std stand; pictures (B, 3, h stride, w
  /// stride), not clamped. `tile` as above.
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents, int tile = 0) const;
  /// The same of what diffusion works on: divided by options().scaling_factor first.
  [[nodiscard]] at::Tensor decode_scaled(const at::Tensor& latents, int tile = 0) const;

  [[nodiscard]] const VaeOptions& options() const { return options_; }

 private:
  struct Encoder {
    Encoder(const VaeWeights& weights, const VaeOptions& options);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& picture) const;
    VaeConv in;
    std::vector<VaeLevel<VaeDownsampler>> levels;
    VaeMiddle middle;
    VaeNorm norm;
    VaeConv out;
    std::optional<VaeConv> quant;
  };
  struct Decoder {
    Decoder(const VaeWeights& weights, const VaeOptions& options);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& latents) const;
    std::optional<VaeConv> post_quant;
    VaeConv in;
    VaeMiddle middle;
    std::vector<VaeLevel<VaeUpsampler>> levels;
    VaeNorm norm;
    VaeConv out;
  };
  Vae(const VaeOptions& options, const VaeWeights& weights);
  [[nodiscard]] int checked_tile(int tile) const;

  VaeOptions options_;
  at::TensorOptions place_;
  at::MemoryFormat format_;
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace evd::nn
