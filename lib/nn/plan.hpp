#pragma once

#include <vector>

#include "nn/options.hpp"
#include "nn/schedule.hpp"

namespace evd::nn {

/// One network evaluation of a sampler. With z0 the picture predicted from (z, timestep) and
/// z0_before that of the evaluation before: z <- z_weight z + z0_weight z0 + before_weight
/// z0_before.
struct SamplingStep {
  int timestep = 0;
  double alpha = 0;  ///< sqrt(abar) at this timestep
  double sigma = 0;
  double z_weight = 0;
  double z0_weight = 0;
  double before_weight = 0;
};

/// A deterministic sampler as its list of steps: both samplers are linear in z and z0, so whoever
/// runs the network needs no more than this.
///  ddim:  eta 0, no clipping, timestep spacing "trailing" (999, 949, ...), last step to abar = 1.
///         diffusers DDIMScheduler(clip_sample=False, timestep_spacing="trailing").
///  dpmpp: DPM-Solver++ 2M, midpoint, spacing "linspace", final sigma zero (so that the last step
///         is of first order). diffusers DPMSolverMultistepScheduler with its defaults.
/// Source of both: reference formulas in diffusers 0.42. ConfigurationError for more steps than
/// timesteps.
[[nodiscard]] std::vector<SamplingStep> sampling_plan(const Schedule& schedule, SamplerKind kind,
                                                      int steps);

}  // namespace evd::nn
