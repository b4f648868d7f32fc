#include "nn/plan.hpp"

#include <cmath>

#include "core/error.hpp"

namespace evd::nn {
namespace {

SamplingStep at(const Schedule& schedule, int timestep) {
  const auto t = static_cast<std::size_t>(timestep);
  return {timestep, schedule.alpha[t], schedule.sigma[t], 0, 0, 0};
}

// Python's and numpy's rounding: halves go to the even neighbour.
int round_half_even(double x) { return static_cast<int>(std::nearbyint(x)); }

std::vector<SamplingStep> ddim(const Schedule& schedule, int steps) {
  const double stride = static_cast<double>(schedule.timesteps()) / steps;
  std::vector<SamplingStep> plan;
  for (int i = 0; i < steps; ++i) {
    plan.push_back(at(schedule, round_half_even(schedule.timesteps() - i * stride) - 1));
  }
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const bool last = i + 1 == plan.size();
    const double alpha = last ? 1.0 : plan[i + 1].alpha;
    const double sigma = last ? 0.0 : plan[i + 1].sigma;
    // z' = alpha' z0 + sigma' eps with eps = (z - alpha z0) / sigma
    plan[i].z_weight = sigma / plan[i].sigma;
    plan[i].z0_weight = alpha - plan[i].alpha * sigma / plan[i].sigma;
  }
  return plan;
}

double log_snr_half(const SamplingStep& step) { return std::log(step.alpha / step.sigma); }

std::vector<SamplingStep> dpmpp(const Schedule& schedule, int steps) {
  std::vector<SamplingStep> plan;
  for (int i = steps; i > 0; --i) {
    plan.push_back(
        at(schedule, round_half_even(static_cast<double>(schedule.timesteps() - 1) * i / steps)));
  }
  for (std::size_t i = 0; i < plan.size(); ++i) {
    auto& now = plan[i];
    if (i > 0 && now.timestep == plan[i - 1].timestep) {
      throw ConfigurationError("sampling.steps: too many for dpmpp, whose timesteps must differ");
    }
    if (i + 1 == plan.size()) {
      // To sigma 0: the predicted picture itself.
      now.z0_weight = 1.0;
      continue;
    }
    const auto& next = plan[i + 1];
    const double h = log_snr_half(next) - log_snr_half(now);
    const double gain = -next.alpha * std::expm1(-h);
    now.z_weight = next.sigma / now.sigma;
    now.z0_weight = gain;
    if (i == 0) continue;
    const double ratio = (log_snr_half(now) - log_snr_half(plan[i - 1])) / h;
    now.z0_weight += 0.5 * gain / ratio;
    now.before_weight = -0.5 * gain / ratio;
  }
  return plan;
}

}  // namespace

std::vector<SamplingStep> sampling_plan(const Schedule& schedule, SamplerKind kind, int steps) {
  if (steps < 1 || steps > schedule.timesteps()) {
    throw ConfigurationError("sampling.steps is not in 1.." + std::to_string(schedule.timesteps()));
  }
  return kind == SamplerKind::ddim ? ddim(schedule, steps) : dpmpp(schedule, steps);
}

}  // namespace evd::nn
