#pragma once

#include <vector>

#include "nn/options.hpp"

namespace evd::nn {

/// The forward process z_t = sqrt(abar_t) z_0 + sqrt(1 - abar_t) n, all tables in double
/// (improved-diffusion, gaussian_diffusion.py). Index 0 is the least noisy timestep.
struct Schedule {
  explicit Schedule(const DiffusionOptions& options);

  [[nodiscard]] int timesteps() const { return static_cast<int>(beta.size()); }

  std::vector<double> beta;
  std::vector<double> abar;           ///< cumulative product of 1 - beta
  std::vector<double> alpha;          ///< sqrt(abar): weight of the picture
  std::vector<double> sigma;          ///< sqrt(1 - abar): weight of the noise
  std::vector<double> log_beta;       ///< upper end of a learned variance
  std::vector<double> posterior;      ///< variance of q(z_(t-1) | z_t, z_0)
  std::vector<double> log_posterior;  ///< its logarithm, entry 0 replaced by entry 1
  std::vector<double> mean_of_z0;     ///< posterior mean = mean_of_z0 z_0 + mean_of_zt z_t
  std::vector<double> mean_of_zt;
};

/// Weight of each timestep's square error, min(SNR, gamma) over the SNR, or over SNR + 1 where v is
/// predicted (Hang et al., "Efficient diffusion training via min-SNR weighting", 2023; the same as
/// diffusers' training scripts with compute_snr). SNR = abar / (1 - abar).
[[nodiscard]] std::vector<float> min_snr_weights(const Schedule& schedule, Prediction prediction,
                                                 double gamma);

}  // namespace evd::nn
