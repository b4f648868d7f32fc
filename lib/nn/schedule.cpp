#include "nn/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace evd::nn {

Schedule::Schedule(const DiffusionOptions& options) {
  const int count = options.timesteps;
  if (count < 2 || !(options.beta_start > 0) || !(options.beta_end < 1) ||
      options.beta_end < options.beta_start) {
    throw ConfigurationError(
        "diffusion: needs 0 < beta_start <= beta_end < 1 and at least 2 timesteps");
  }
  double product = 1.0;
  for (int t = 0; t < count; ++t) {
    const double b = options.beta_start + (options.beta_end - options.beta_start) * t / (count - 1);
    const double previous = product;
    product *= 1.0 - b;
    beta.push_back(b);
    abar.push_back(product);
    alpha.push_back(std::sqrt(product));
    sigma.push_back(std::sqrt(1.0 - product));
    log_beta.push_back(std::log(b));
    posterior.push_back(b * (1.0 - previous) / (1.0 - product));
    mean_of_z0.push_back(b * std::sqrt(previous) / (1.0 - product));
    mean_of_zt.push_back((1.0 - previous) * std::sqrt(1.0 - b) / (1.0 - product));
  }
  // The variance at 0 is zero: its logarithm is taken from the next one.
  for (int t = 0; t < count; ++t) {
    log_posterior.push_back(std::log(posterior[static_cast<std::size_t>(t == 0 ? 1 : t)]));
  }
}

std::vector<float> min_snr_weights(const Schedule& schedule, Prediction prediction, double gamma) {
  std::vector<float> weights;
  for (const double abar : schedule.abar) {
    const double snr = abar / (1.0 - abar);
    const double whole = prediction == Prediction::noise ? snr : snr + 1.0;
    weights.push_back(static_cast<float>(std::min(snr, gamma) / whole));
  }
  return weights;
}

}  // namespace evd::nn
