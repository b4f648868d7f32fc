#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "nn/device.hpp"

namespace evd::nn {

/// What the VAE says of a picture as it is stored: float16.
struct PackedLatents {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint16_t> values;  ///< (2, channels, height, width): mean, then deviation
};

/// The VAE between pictures and what is denoised. This header holds no torch, so that stages stay
/// light.
class LatentCodec {
 public:
  /// `folder` as WeightSet::open takes it, with config.json. `scale`: diffusion works on latents
  /// times this. `stride`: pixels of a latent's side, ConfigurationError when the VAE has another.
  /// `tile`: side in pixels of the tiles that larger pictures are worked on in, 0 =
  /// whole. In float on `engine`'s device. DataError as Vae.
  LatentCodec(const std::filesystem::path& folder, double scale, int stride, int tile,
              const Engine& engine = {});
  ~LatentCodec();

  [[nodiscard]] int channels() const;
  /// Pixels of a latent's side.
  [[nodiscard]] int stride() const;
  /// `picture` (3, height, width) in [-1, 1], sides multiples of stride(). By the calling thread;
  /// several may call it. DataError when a value is not finite or leaves the range of float16.
  [[nodiscard]] PackedLatents encode(std::span<const float> picture, int height, int width) const;
  /// What diffusion works on, (channels, height, width) latents, to (3, height stride, width
  /// stride) pixels, not clamped.
  [[nodiscard]] std::vector<float> decode(std::span<const float> latents, int height,
                                          int width) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::nn
