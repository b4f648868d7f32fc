#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "nn/device.hpp"
#include "nn/encoders.hpp"
#include "nn/options.hpp"

namespace at {
class Tensor;
}

namespace evd::nn {

/// One picture to draw. The start noise is Random(seed, Purpose::render_noise, noise_id, 0), what
/// step i of an ancestral sampler adds is Random(.., i + 1): the same picture whatever the rank,
/// batch or world size.
struct RenderRequest {
  std::string prompt;
  std::uint64_t noise_id = 0;
  int height_px = 0;  ///< 0 = the square that the network was made for
  int width_px = 0;
  double aspect = 1;  ///< what a multi-aspect network is told
};

/// Renders prompts with given weights. This header holds no torch, so that stages stay light.
class Generator {
 public:
  /// Weights of a checkpoint (`model.safetensors`). DataError when names or shapes do not fit.
  Generator(const std::filesystem::path& weights, const NetworkOptions& network,
            const DiffusionOptions& diffusion, Encoders encoders = {}, const Engine& engine = {});
  /// Fresh weights drawn from `campaign_seed`: C_start of base.init = random.
  Generator(std::uint64_t campaign_seed, const NetworkOptions& network,
            const DiffusionOptions& diffusion, Encoders encoders = {}, const Engine& engine = {});
  /// Weights that lie elsewhere, as Network takes them; they may change between renders. It
  /// computes where they lie, in their type. `null_text` as in Weights.
  Generator(const at::Tensor& weights, std::vector<float> null_text, const NetworkOptions& network,
            const DiffusionOptions& diffusion, Encoders encoders = {});
  ~Generator();

  /// One picture per request, (height, width, 3) bytes, row by row, 0..255. DataError for a size
  /// that is no whole number of tokens.
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> render(
      std::span<const RenderRequest> requests, const SamplerOptions& sampler,
      std::uint64_t seed) const;
  /// SHA-256 over the weights' bytes: what renders and pairs name as `checkpoint`. None of weights
  /// that lie elsewhere.
  [[nodiscard]] const Sha256& checkpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::nn
