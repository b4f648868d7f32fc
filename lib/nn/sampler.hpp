#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <functional>
#include <span>

#include "nn/network.hpp"
#include "nn/plan.hpp"

namespace evd::nn {

/// What a sampler asks: (z (B, C, H, W), timestep) -> prediction (B, C, H, W).
using Predictor = std::function<at::Tensor(const at::Tensor& z, int timestep)>;

/// Runs a plan from start noise to the picture predicted at its end.
[[nodiscard]] at::Tensor sample(const Predictor& predict, std::span<const SamplingStep> plan,
                                Prediction prediction, at::Tensor z);

/// The network under classifier-free guidance, u + scale (c - u), both halves in one pass. `text`
/// holds 2 B rows, dropped captions first; with scale 1 it holds the B captions alone. The variance
/// half of the output is left out.
[[nodiscard]] Predictor guided(const Network& network, const TextKeys& text, double scale);

}  // namespace evd::nn
