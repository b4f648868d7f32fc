#pragma once

#include <cstdint>

#include "nn/options.hpp"

namespace evd::train {

/// What the network is given in one pass.
struct PassShape {
  std::int64_t samples = 0;
  std::int64_t tokens = 0;       ///< of one picture
  std::int64_t text_tokens = 0;  ///< of all samples together
};

/// Whether a block's inner activations are kept for backward or computed again.
enum class Recompute : std::uint8_t { none, block };

/// Tokens of one picture of the network's own size.
[[nodiscard]] std::int64_t tokens_of(const nn::NetworkOptions& network);

/// Floating-point operations of forward's matrix products and attention (2 for a multiply-add):
/// what model FLOPs utilisation is counted with. Element-wise work is left out.
[[nodiscard]] double forward_flops(const nn::NetworkOptions& network,
                                   const nn::DiffusionOptions& diffusion, const PassShape& shape);
/// Of forward and backward, which is twice forward; blocks that are computed again count once more.
[[nodiscard]] double training_flops(const nn::NetworkOptions& network,
                                    const nn::DiffusionOptions& diffusion, const PassShape& shape,
                                    Recompute recompute = Recompute::none);

}  // namespace evd::train
