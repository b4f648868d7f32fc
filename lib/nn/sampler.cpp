#include "nn/sampler.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

namespace evd::nn {

at::Tensor sample(const Predictor& predict, std::span<const SamplingStep> plan,
                  Prediction prediction, at::Tensor z) {
  at::Tensor before;
  for (const auto& step : plan) {
    const at::Tensor out = predict(z, step.timestep);
    const at::Tensor picture = prediction == Prediction::noise ? (z - out * step.sigma) / step.alpha
                                                               : z * step.alpha - out * step.sigma;
    z = z * step.z_weight + picture * step.z0_weight;
    if (step.before_weight != 0) z = z + before * step.before_weight;
    before = picture;
  }
  return z;
}

Predictor guided(const Network& network, const TextKeys& text, double scale) {
  return [&network, &text, scale](const at::Tensor& z, int timestep) {
    const bool both = scale != 1.0;
    const at::Tensor input = both ? at::cat({z, z}) : z;
    const at::Tensor t = at::full({input.size(0)}, timestep, at::kFloat);
    const at::Tensor out = network.forward(input, t, text).narrow(1, 0, z.size(1));
    if (!both) return out;
    const auto halves = out.chunk(2);
    return halves[0] + (halves[1] - halves[0]) * scale;
  };
}

}  // namespace evd::nn
