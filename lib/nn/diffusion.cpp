#include "nn/diffusion.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>

#include "core/error.hpp"

namespace evd::nn {
namespace {

at::Tensor sample_mean(const at::Tensor& x) { return x.flatten(1).mean(1); }

// Standard normal distribution by the tanh approximation of the original.
at::Tensor approximate_cdf(const at::Tensor& x) {
  const double scale = std::sqrt(2.0 / std::numbers::pi);
  return (at::tanh((x + x * x * x * 0.044715) * scale) + 1.0) * 0.5;
}

at::Tensor safe_log(const at::Tensor& x) { return x.clamp_min(1e-12).log(); }

// Log-likelihood of a value under a Gaussian discretised to steps of 2/255 (8-bit pictures).
at::Tensor discretised_log_likelihood(const at::Tensor& x, const at::Tensor& mean,
                                      const at::Tensor& log_deviation) {
  const at::Tensor inverse = (-log_deviation).exp();
  const at::Tensor centred = x - mean;
  const at::Tensor upper = approximate_cdf((centred + 1.0 / 255.0) * inverse);
  const at::Tensor lower = approximate_cdf((centred - 1.0 / 255.0) * inverse);
  return at::where(x < -0.999, safe_log(upper),
                   at::where(x > 0.999, safe_log(-lower + 1.0), safe_log(upper - lower)));
}

}  // namespace

Diffusion::Diffusion(const Schedule& schedule, const DiffusionOptions& options,
                     std::span<const int> timesteps, const at::TensorOptions& place)
    : schedule_(schedule),
      options_(options),
      timesteps_(timesteps.begin(), timesteps.end()),
      place_(place),
      alpha_(gather(schedule.alpha)),
      sigma_(gather(schedule.sigma)) {}

at::Tensor Diffusion::gather(const std::vector<double>& table) const {
  std::vector<double> values;
  for (const int t : timesteps_) values.push_back(table.at(static_cast<std::size_t>(t)));
  const auto count = static_cast<std::int64_t>(values.size());
  return at::from_blob(values.data(), {count, 1, 1, 1}, at::kDouble).to(place_, false, true);
}

at::Tensor Diffusion::noised(const at::Tensor& z0, const at::Tensor& noise) const {
  return z0 * alpha_ + noise * sigma_;
}

at::Tensor Diffusion::loss(const at::Tensor& output, const at::Tensor& z0, const at::Tensor& noise,
                           std::span<const float> weights) const {
  const at::Tensor target =
      options_.prediction == Prediction::noise ? noise : noise * alpha_ - z0 * sigma_;
  const at::Tensor error = output.narrow(1, 0, z0.size(1)) - target;
  at::Tensor mse = sample_mean(error * error);
  if (!weights.empty()) {
    if (weights.size() != timesteps_.size()) {
      throw InternalError("the loss has " + std::to_string(weights.size()) + " weights for " +
                          std::to_string(timesteps_.size()) + " samples");
    }
    const at::Tensor factors =
        at::from_blob(const_cast<float*>(weights.data()), {mse.size(0)}, at::kFloat);
    mse = mse * factors.to(place_, false, true);
  }
  if (!options_.learned_variance) return mse;
  return mse + variational_bound(output, z0, noised(z0, noise));
}

at::Tensor Diffusion::variational_bound(const at::Tensor& output, const at::Tensor& z0,
                                        const at::Tensor& z) const {
  const std::int64_t channels = z0.size(1);
  const at::Tensor predicted = output.narrow(1, 0, channels).detach();
  const at::Tensor picture = options_.prediction == Prediction::noise
                                 ? (z - predicted * sigma_) / alpha_
                                 : z * alpha_ - predicted * sigma_;
  const at::Tensor from_z0 = gather(schedule_.mean_of_z0);
  const at::Tensor from_zt = gather(schedule_.mean_of_zt);
  const at::Tensor log_true = gather(schedule_.log_posterior);

  const at::Tensor share = (output.narrow(1, channels, channels) + 1.0) * 0.5;
  const at::Tensor log_model = share * gather(schedule_.log_beta) + (-share + 1.0) * log_true;
  const at::Tensor mean = picture * from_z0 + z * from_zt;
  const at::Tensor gap = (z0 - picture) * from_z0;  // of the two means: the z terms cancel
  const at::Tensor divergence =
      (log_model - log_true - 1.0 + (log_true - log_model).exp() + gap * gap * (-log_model).exp()) *
      0.5;
  const at::Tensor surprise = -discretised_log_likelihood(z0, mean, log_model * 0.5);
  const at::Tensor first = gather(schedule_.posterior) == 0;  // timestep 0, and only there
  return sample_mean(at::where(first, surprise, divergence)) / std::numbers::ln2;
}

}  // namespace evd::nn
