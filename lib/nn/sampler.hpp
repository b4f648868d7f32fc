#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <functional>
#include <span>

#include "nn/network.hpp"
#include "nn/plan.hpp"

namespace evd::nn {

/// What a sampler asks: (z (B, C, H, W), timestep) -> (B, C, H, W), or (B, 2 C, H, W) of a network
/// that learns its variance.
using Predictor = std::function<at::Tensor(const at::Tensor& z, double timestep)>;
/// Standard normal noise (B, C, H, W) of a step, counted from 0.
using NoiseSource = std::function<at::Tensor(std::size_t step)>;

/// Runs a plan from start noise `z` to its end; `noise` is asked by plans that add noise only.
[[nodiscard]] at::Tensor sample(const Predictor& predict, std::span<const SamplingStep> plan,
                                Prediction prediction, at::Tensor z, const NoiseSource& noise);

/// The network under classifier-free guidance, u + scale (c - u), both halves in one pass. `text`
/// holds 2 B rows, dropped captions first; with scale 1 it holds the B captions alone. Variance
/// channels are those of the captions. `shapes`: of the B pictures.
/// The network must outlive the answer.
[[nodiscard]] Predictor guided(const Network& network, TextKeys text, double scale,
                               const PictureShapes& shapes = {});

}  // namespace evd::nn
