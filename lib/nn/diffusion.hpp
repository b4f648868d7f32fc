#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <span>

#include <ATen/core/Tensor.h>

#include "nn/schedule.hpp"

namespace evd::nn {

/// Forward process and training loss of a batch, each sample at its own timestep.
class Diffusion {
 public:
  /// `timesteps` (B); everything is computed in the type and on the device of `place`.
  Diffusion(const Schedule& schedule, const DiffusionOptions& options,
            std::span<const int> timesteps, const at::TensorOptions& place);

  /// z_t = alpha z0 + sigma noise. z0, noise (B, C, H, W).
  [[nodiscard]] at::Tensor noised(const at::Tensor& z0, const at::Tensor& noise) const;

  /// Loss of each sample (B): mean square error of what is predicted (the noise, or
  /// v = alpha noise - sigma z0), plus with learned variance the variational bound in bits per
  /// dimension, its mean taken from the detached prediction (improved-diffusion, LEARNED_RANGE,
  /// MSE, not rescaled). `output` (B, C or 2 C, H, W). `weights` (B) are of the square error, the
  /// bound stays as it is; empty = all 1. InternalError when there are more or fewer.
  [[nodiscard]] at::Tensor loss(const at::Tensor& output, const at::Tensor& z0,
                                const at::Tensor& noise, std::span<const float> weights = {}) const;
  /// The bound alone (B): KL in bits per dimension, or at timestep 0 the discretised likelihood.
  [[nodiscard]] at::Tensor variational_bound(const at::Tensor& output, const at::Tensor& z0,
                                             const at::Tensor& z) const;

 private:
  [[nodiscard]] at::Tensor gather(const std::vector<double>& table) const;  // (B, 1, 1, 1)

  const Schedule& schedule_;
  DiffusionOptions options_;
  std::vector<int> timesteps_;
  at::TensorOptions place_;
  at::Tensor alpha_;
  at::Tensor sigma_;
};

}  // namespace evd::nn
