#pragma once

#include "train/flops.hpp"

namespace evd::train {

/// Bytes that forward and backward of one pass hold at their peak beside weights and gradients:
/// what autograd keeps of each block, and what the block under work needs besides. Counted from the
/// operations of nn/network.cpp, in elements of `element_bytes`; measured peaks lie within 15 %.
[[nodiscard]] double activation_bytes(const nn::NetworkOptions& network,
                                      const nn::DiffusionOptions& diffusion, const PassShape& shape,
                                      Recompute recompute = Recompute::none,
                                      double element_bytes = 4);

}  // namespace evd::train
