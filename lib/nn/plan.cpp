#include "nn/plan.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace evd::nn {
namespace {

using Plan = std::vector<SamplingStep>;

/// A point of the forward process: z = alpha picture + sigma noise.
struct Point {
  double timestep = 0;
  double alpha = 1;
  double sigma = 0;
  [[nodiscard]] double lambda() const { return std::log(alpha / sigma); }
};

constexpr Point kPicture{-1, 1, 0};

// Python's and numpy's rounding: halves go to the even neighbour.
int round_half_even(double x) { return static_cast<int>(std::nearbyint(x)); }

Point at(const Schedule& schedule, int timestep) {
  const auto t = static_cast<std::size_t>(timestep);
  return {static_cast<double>(timestep), schedule.alpha[t], schedule.sigma[t]};
}

/// A plan that evaluates the network at all points but the last, its weights still missing.
Plan evaluations(const std::vector<Point>& points) {
  Plan plan;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    SamplingStep step;
    step.timestep = points[i].timestep;
    step.alpha = points[i].alpha;
    step.sigma = points[i].sigma;
    plan.push_back(step);
  }
  return plan;
}

// ---- grids: the points evaluated, then the one at which the sampler ends

std::vector<Point> leading(const Schedule& schedule, int steps) {
  const int stride = schedule.timesteps() / steps;
  std::vector<Point> points;
  for (int i = steps; i-- > 0;) points.push_back(at(schedule, i * stride));
  points.push_back(kPicture);
  return points;
}

std::vector<Point> trailing(const Schedule& schedule, int steps) {
  const double stride = static_cast<double>(schedule.timesteps()) / steps;
  std::vector<Point> points;
  for (int i = 0; i < steps; ++i) {
    points.push_back(at(schedule, round_half_even(schedule.timesteps() - i * stride) - 1));
  }
  points.push_back(kPicture);
  return points;
}

/// `steps` of the `intervals` + 1 timesteps that divide 0 .. 999 evenly, from the top.
std::vector<Point> linspace(const Schedule& schedule, int steps, int intervals, Point end) {
  std::vector<Point> points;
  for (int i = 0; i < steps; ++i) {
    const int k = intervals - i;
    const double t = intervals == 0 ? 0 : (schedule.timesteps() - 1.0) * k / intervals;
    points.push_back(at(schedule, round_half_even(t)));
    if (i > 0 && points[points.size() - 2].timestep == points.back().timestep) {
      throw ConfigurationError(
          "evaluate.steps: too many for this sampler, whose timesteps must differ (lower it)");
    }
  }
  points.push_back(end);
  return points;
}

/// Even in continuous time t = (i + 1) / 1000; log(alpha) is interpolated between the timesteps.
std::vector<Point> authors_grid(const Schedule& schedule, int steps) {
  std::vector<double> log_alpha;
  double sum = 0;
  for (const double beta : schedule.beta) log_alpha.push_back(sum += 0.5 * std::log1p(-beta));
  const int last = schedule.timesteps() - 1;
  std::vector<Point> points;
  for (int i = 0; i <= steps; ++i) {
    const double timestep = static_cast<double>(last) * (steps - i) / steps;
    const int below = std::clamp(static_cast<int>(timestep), 0, last - 1);
    const auto low = log_alpha[static_cast<std::size_t>(below)];
    const auto high = log_alpha[static_cast<std::size_t>(below) + 1];
    const double log = low + (high - low) * (timestep - below);
    points.push_back({timestep, std::exp(log), std::sqrt(-std::expm1(2 * log))});
  }
  return points;
}

// ---- solvers: the weights between points

Plan ddim(const std::vector<Point>& points) {
  Plan plan = evaluations(points);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const auto& now = points[i];
    const auto& next = points[i + 1];
    // z' = alpha' picture + sigma' eps with eps = (z - alpha picture) / sigma
    plan[i].z_weight = next.sigma / now.sigma;
    plan[i].picture_weight = next.alpha - now.alpha * next.sigma / now.sigma;
  }
  return plan;
}

enum class LastStep : std::uint8_t { first_order, second_order };

Plan dpmpp(const std::vector<Point>& points, LastStep last_step) {
  Plan plan = evaluations(points);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    auto& step = plan[i];
    const auto& now = points[i];
    const auto& next = points[i + 1];
    if (next.sigma == 0) {
      step.picture_weight = 1.0;
      continue;
    }
    const double h = next.lambda() - now.lambda();
    const double gain = -next.alpha * std::expm1(-h);
    step.z_weight = next.sigma / now.sigma;
    step.picture_weight = gain;
    const bool is_last = i + 1 == plan.size();
    if (i == 0 || (is_last && last_step == LastStep::first_order)) continue;
    const double ratio = (now.lambda() - points[i - 1].lambda()) / h;
    step.picture_weight += 0.5 * gain / ratio;
    step.before_weight = -0.5 * gain / ratio;
  }
  return plan;
}

Plan ancestral(const std::vector<Point>& points) {
  Plan plan = evaluations(points);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    auto& step = plan[i];
    const auto& next = points[i + 1];
    const double abar = step.alpha * step.alpha;
    const double abar_next = next.alpha * next.alpha;
    const double kept = abar / abar_next;  // alpha of the step, 1 - beta
    step.picture_weight = next.alpha * (1 - kept) / (1 - abar);
    step.z_weight = std::sqrt(kept) * (1 - abar_next) / (1 - abar);
    if (next.sigma == 0) continue;
    const double variance = (1 - abar_next) / (1 - abar) * (1 - kept);
    step.deviation = std::sqrt(variance);
    step.learns_variance = true;
    step.log_variance_low = std::log(variance);
    step.log_variance_high = std::log(1 - kept);
  }
  return plan;
}

/// Weights of the SA-Solver over one interval with a = 1 + tau^2: the exact integral of a constant
/// picture, and for a slope h^2 / 2 in place of its integral, as UniPC and diffusers have it.
struct Interval {
  Interval(const Point& from, const Point& to, double tau)
      : h(to.lambda() - from.lambda()),
        a(1 + tau * tau),
        z(std::exp(-tau * tau * h) * to.sigma / from.sigma),
        constant(-to.alpha * std::expm1(-a * h)),
        slope(a * to.alpha * h * h / 2),
        noise(to.sigma * std::sqrt(-std::expm1(-2 * tau * tau * h))) {}
  double h, a, z, constant, slope, noise;
};

Plan sa(const std::vector<Point>& points) {
  const auto interval = [&](std::size_t i) {
    const bool noisy = points[i].timestep >= 200 && points[i].timestep <= 800;
    return Interval(points[i], points[i + 1], noisy ? 1.0 : 0.0);
  };
  Plan plan = evaluations(points);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    auto& step = plan[i];
    const Interval now = interval(i);
    step.z_weight = now.z;
    step.picture_weight = now.constant;
    step.deviation = now.noise;
    if (i > 0 && i + 1 < plan.size()) {
      const double slope = now.slope / (points[i].lambda() - points[i - 1].lambda());
      step.picture_weight += slope;
      step.before_weight = -slope;
    }
    if (i == 0) continue;
    // The step before once more, now that the picture at its end is known.
    const Interval before = interval(i - 1);
    step.corrects = true;
    step.fix_z = before.z;
    step.fix_picture = before.slope / before.h;
    step.fix_before = before.constant - before.slope / before.h;
    step.fix_noise = before.noise;
  }
  return plan;
}

}  // namespace

std::vector<SamplingStep> sampling_plan(const Schedule& schedule, SamplerKind kind, int steps) {
  if (steps < 1 || steps > schedule.timesteps()) {
    throw ConfigurationError("evaluate.steps is not in 1.." + std::to_string(schedule.timesteps()));
  }
  switch (kind) {
    case SamplerKind::ddim:
      return ddim(leading(schedule, steps));
    case SamplerKind::ddim_trailing:
      return ddim(trailing(schedule, steps));
    case SamplerKind::dpmpp:
      return dpmpp(linspace(schedule, steps, steps, kPicture), LastStep::first_order);
    case SamplerKind::dpmpp_authors:
      return dpmpp(authors_grid(schedule, steps),
                   steps < 10 ? LastStep::first_order : LastStep::second_order);
    case SamplerKind::iddpm:
      return ancestral(linspace(schedule, steps, steps - 1, kPicture));
    case SamplerKind::sa:
      return sa(linspace(schedule, steps, steps, at(schedule, 0)));
  }
  throw InternalError("a sampler without a plan");
}

}  // namespace evd::nn
