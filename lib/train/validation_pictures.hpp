#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "nn/encoders.hpp"
#include "nn/generator.hpp"

namespace evd::train {

/// Pictures side by side, as PNG.
struct Sheet {
  int width_px = 0;
  int height_px = 0;
  std::vector<std::byte> png;
};

/// Draws the same prompts from the same noise again and again, as weights change.
class ValidationPictures {
 public:
  struct Setup {
    nn::NetworkOptions network;
    nn::DiffusionOptions diffusion;
    nn::SamplerOptions sampler;
    std::uint64_t seed = 0;
    std::vector<nn::RenderRequest> requests;
    std::shared_ptr<const nn::Texts> texts;  ///< of this rank's requests; null = hashed words
    nn::NullText null_text = nn::NullText::encoded;
    /// Opens the VAE, anew for each sheet: between them it takes no memory. Empty = pixels.
    std::function<std::shared_ptr<const nn::LatentCodec>()> open_codec;
    int side_px = 0;  ///< pictures are square, whatever sizes the network knows
    int threads = 1;
  };
  ValidationPictures(Setup setup, const mpi::Communicator& world)
      : setup_(std::move(setup)), world_(world) {}

  /// Ranks share the pictures, each of its threads draws one at a time; `goes_on` is asked before
  /// each turn, by all ranks. The sheet is rank 0's. Nothing when it does not go on. Collective.
  [[nodiscard]] std::optional<Sheet> draw(const at::Tensor& weights,
                                          const std::vector<float>& null_text,
                                          const std::function<bool()>& goes_on) const;

 private:
  [[nodiscard]] std::vector<std::uint8_t> drawn(const nn::Generator& generator,
                                                std::span<const nn::RenderRequest> turn) const;

  Setup setup_;
  const mpi::Communicator& world_;
};

}  // namespace evd::train
