#pragma once

#include <vector>

#include "nn/options.hpp"
#include "nn/schedule.hpp"

namespace evd::nn {

/// One network evaluation of a sampler, as weights of a sum. With `picture` the one predicted from
/// (z, timestep), `picture_before` and `noise_before` those of the evaluation before, and
/// `z_before` what that one started from:
///   if corrects:  z <- fix_z z_before + fix_picture picture + fix_before picture_before
///                      + fix_noise noise_before
///   then:         z <- z_weight z + picture_weight picture + before_weight picture_before
///                      + deviation noise
struct SamplingStep {
  double timestep = 0;  ///< may lie between whole numbers
  double alpha = 0;     ///< sqrt(abar) at this timestep
  double sigma = 0;
  double z_weight = 0;
  double picture_weight = 0;
  double before_weight = 0;
  double deviation = 0;  ///< of the noise that is added; of a learned variance, when it is fixed
  /// The network's variance channel v in [-1, 1] lies between these logarithms of variances.
  bool learns_variance = false;
  double log_variance_low = 0;
  double log_variance_high = 0;
  bool corrects = false;
  double fix_z = 0;
  double fix_picture = 0;
  double fix_before = 0;
  double fix_noise = 0;

  [[nodiscard]] bool adds_noise() const { return deviation > 0; }
};

/// A sampler as its list of steps: each is linear in what the network predicts, so whoever runs the
/// network needs no more than this. By name, with its grid:
///  ddim:          eta 0, no clipping, "leading" (950, 900, ... 0 of 20), last step to abar = 1.
///                 diffusers DDIMScheduler(clip_sample=False).
///  ddim-trailing: the same over 999, 949, ... 49: it starts at the noisiest timestep, as
///                 v-prediction wants. DDIMScheduler(clip_sample=False,
///                 timestep_spacing="trailing") where the steps divide 1000; elsewhere that one
///                 ends a step beside the next timestep, this one at it.
///  dpmpp:         DPM-Solver++ 2M, midpoint; 999, 949, ... 50, last step to sigma 0 (of first
///                 order). diffusers DPMSolverMultistepScheduler with its defaults.
///  dpmpp-authors: the same solver on the authors' grid: even in continuous time from 1 to 1/1000,
///                 so that timesteps are 999, 949.05, ... 49.95, and the end keeps a little noise.
///                 EvolveDirector, diffusion/model/dpm_solver.py.
///  iddpm:         ancestral with the learned range of variances; 0 .. 999, rounded.
///                 diffusers DDPMScheduler(timestep_spacing="linspace",
///                 variance_type="learned_range", clip_sample=False).
///  sa:            SA-Solver (arXiv 2309.05019), predictor and corrector of second order, noise
///                 between timesteps 200 and 800. diffusers SASolverScheduler with its defaults.
/// ConfigurationError when the grid does not hold that many steps.
[[nodiscard]] std::vector<SamplingStep> sampling_plan(const Schedule& schedule, SamplerKind kind,
                                                      int steps);

}  // namespace evd::nn
