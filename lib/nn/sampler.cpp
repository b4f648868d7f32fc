#include "nn/sampler.hpp"

#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

namespace evd::nn {

at::Tensor sample(const Predictor& predict, std::span<const SamplingStep> plan,
                  Prediction prediction, at::Tensor z, const NoiseSource& noise) {
  const std::int64_t channels = z.size(1);
  at::Tensor z_before;
  at::Tensor picture_before;
  at::Tensor noise_before;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const auto& step = plan[i];
    const at::Tensor out = predict(z, step.timestep);
    const at::Tensor head = out.narrow(1, 0, channels);
    const at::Tensor picture = prediction == Prediction::noise
                                   ? (z - head * step.sigma) / step.alpha
                                   : z * step.alpha - head * step.sigma;
    if (step.corrects) {
      z = z_before * step.fix_z + picture * step.fix_picture + picture_before * step.fix_before;
      if (step.fix_noise != 0) z = z + noise_before * step.fix_noise;
    }
    at::Tensor next = z * step.z_weight + picture * step.picture_weight;
    if (step.before_weight != 0) next = next + picture_before * step.before_weight;
    if (step.adds_noise()) {
      noise_before = noise(i);
      if (step.learns_variance && out.size(1) == 2 * channels) {
        const at::Tensor share = (out.narrow(1, channels, channels) + 1.0) * 0.5;
        const at::Tensor log_variance =
            share * (step.log_variance_high - step.log_variance_low) + step.log_variance_low;
        next = next + (log_variance * 0.5).exp() * noise_before;
      } else {
        next = next + noise_before * step.deviation;
      }
    }
    z_before = z;
    picture_before = picture;
    z = next;
  }
  return z;
}

Predictor guided(const Network& network, TextKeys text, double scale, const PictureShapes& shapes) {
  const bool both = scale != 1.0;
  PictureShapes all = shapes;
  if (both && shapes.size.defined()) {
    all = {at::cat({shapes.size, shapes.size}), at::cat({shapes.aspect, shapes.aspect})};
  }
  return [&network, text = std::move(text), scale, both, all](const at::Tensor& z,
                                                              double timestep) {
    const at::Tensor input = both ? at::cat({z, z}) : z;
    const at::Tensor t = at::full({input.size(0)}, timestep, input.options().dtype(at::kDouble));
    const at::Tensor out = network.forward(input, t, text, all);
    if (!both) return out;
    const auto halves = out.chunk(2);
    const std::int64_t channels = z.size(1);
    const at::Tensor dropped = halves[0].narrow(1, 0, channels);
    const at::Tensor kept = halves[1].narrow(1, 0, channels);
    const at::Tensor guided = dropped + (kept - dropped) * scale;
    if (out.size(1) == channels) return guided;
    return at::cat({guided, halves[1].narrow(1, channels, channels)}, 1);
  };
}

}  // namespace evd::nn
