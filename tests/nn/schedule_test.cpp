// Tables of the forward process (DDPM, arXiv 2006.11239) and samplers (DDIM, arXiv 2010.02502;
// DPM-Solver++, arXiv 2211.01095) on a scalar.
#include "nn/schedule.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/plan.hpp"

namespace evd::nn {
namespace {

TEST(Schedule, KnownAnswers) {
  const Schedule s{DiffusionOptions{}};
  EXPECT_DOUBLE_EQ(s.abar[0], 0.9999);
  EXPECT_NEAR(s.abar[1], 0.9997800920720721, 1e-15);
  EXPECT_NEAR(s.abar[10], 0.997806572507846, 1e-14);
  EXPECT_NEAR(s.abar[100], 0.8951415908975365, 1e-13);
  EXPECT_NEAR(s.abar[249], 0.5240853738253606, 1e-13);
  EXPECT_NEAR(s.abar[500], 0.07779665836502389, 1e-14);
  EXPECT_NEAR(s.abar[750], 0.003300158361569426, 1e-15);
  EXPECT_NEAR(s.abar[998], 4.118193638138445e-05, 1e-17);
  EXPECT_NEAR(s.abar[999], 4.035829765375676e-05, 1e-17);
  EXPECT_NEAR(s.alpha[999], 0.00635281809, 1e-11);
  EXPECT_NEAR(1 / s.alpha[999], 157.41045725, 1e-7);
  EXPECT_NEAR(std::log(s.alpha[0] / s.sigma[0]), 4.60512018, 1e-8);
  EXPECT_NEAR(std::log(s.alpha[999] / s.sigma[999]), -5.05883659, 1e-8);
  EXPECT_NEAR(s.posterior[1], 5.4531876613e-05, 1e-14);
  EXPECT_NEAR(s.log_posterior[0], -9.81672513529567, 1e-11);
  EXPECT_EQ(s.log_posterior[0], s.log_posterior[1]);
  EXPECT_NEAR(s.log_posterior[2], -9.36712149736664, 1e-11);
  EXPECT_NEAR(s.log_posterior[999], -3.912023829100455, 1e-12);
  EXPECT_NEAR(s.log_beta[0], -9.210340371976182, 1e-12);
  EXPECT_NEAR(s.log_beta[1], -9.028686371949341, 1e-12);
  EXPECT_NEAR(s.log_beta[999], -3.912023005428146, 1e-12);
  EXPECT_NEAR(s.mean_of_z0[1], .54529149951, 1e-11);
  EXPECT_NEAR(s.mean_of_zt[1], .45470849899, 1e-11);
  EXPECT_NEAR(s.mean_of_z0[999], 1.2835148717e-4, 1e-14);
  EXPECT_NEAR(s.mean_of_zt[999], .98994867827, 1e-11);
}

TEST(Schedule, RefusesSettingsWithoutMeaning) {
  DiffusionOptions options;
  options.beta_start = 0;
  EXPECT_THROW(Schedule{options}, ConfigurationError);
  options = {};
  options.beta_end = 1;
  EXPECT_THROW(Schedule{options}, ConfigurationError);
}

// Runs a plan on a scalar with the model eps(z) = 0.5 z from z = 1.
double run_half(SamplerKind kind, int steps) {
  const Schedule schedule{DiffusionOptions{}};
  double z = 1;
  double before = 0;
  for (const auto& step : sampling_plan(schedule, kind, steps)) {
    const double picture = (z - 0.5 * z * step.sigma) / step.alpha;
    z = step.z_weight * z + step.picture_weight * picture + step.before_weight * before;
    before = picture;
  }
  return z;
}

std::vector<double> timesteps_of(SamplerKind kind, int steps) {
  std::vector<double> timesteps;
  for (const auto& step : sampling_plan(Schedule{DiffusionOptions{}}, kind, steps)) {
    timesteps.push_back(step.timestep);
  }
  return timesteps;
}

TEST(Plan, DpmppTimestepsAreThoseOfDiffusers) {
  EXPECT_EQ(timesteps_of(SamplerKind::dpmpp, 20),
            (std::vector<double>{999, 949, 899, 849, 799, 749, 699, 649, 599, 549,
                                 500, 450, 400, 350, 300, 250, 200, 150, 100, 50}));
}

TEST(Plan, DpmppOfTheAuthorsHasTimestepsBetweenWholeNumbers) {
  const auto timesteps = timesteps_of(SamplerKind::dpmpp_authors, 20);
  ASSERT_EQ(timesteps.size(), 20U);
  EXPECT_DOUBLE_EQ(timesteps[0], 999);
  EXPECT_DOUBLE_EQ(timesteps[1], 949.05);
  EXPECT_DOUBLE_EQ(timesteps[19], 49.95);
}

TEST(Plan, DpmppOfTheAuthorsKnownAnswers) {
  EXPECT_NEAR(run_half(SamplerKind::dpmpp_authors, 20), 9.008172572844256, 1e-9);
  EXPECT_NEAR(run_half(SamplerKind::dpmpp_authors, 5), 10.954132736358748, 1e-9);
}

TEST(Plan, IddpmTimestepsAreThoseOfTheOriginal) {
  EXPECT_EQ(timesteps_of(SamplerKind::iddpm, 20),
            (std::vector<double>{999, 946, 894, 841, 789, 736, 684, 631, 578, 526,
                                 473, 421, 368, 315, 263, 210, 158, 105, 53,  0}));
}

TEST(Plan, DpmppKnownAnswer) {
  // diffusers' tables are in single precision.
  EXPECT_NEAR(run_half(SamplerKind::dpmpp, 20), 8.870066381279422, 1e-9);
}

TEST(Plan, DdimTimestepsTrailOrLead) {
  EXPECT_EQ(timesteps_of(SamplerKind::ddim_trailing, 4), (std::vector<double>{999, 749, 499, 249}));
  EXPECT_EQ(timesteps_of(SamplerKind::ddim, 4), (std::vector<double>{750, 500, 250, 0}));
}

// The textbook form: z' = sqrt(abar') z0 + sqrt(1 - abar') eps.
TEST(Plan, DdimEqualsTheTextbook) {
  const Schedule s{DiffusionOptions{}};
  double z = 1;
  for (int t = 999; t >= 0; t -= 50) {
    const double abar = s.abar[static_cast<std::size_t>(t)];
    const double next = t - 50 >= 0 ? s.abar[static_cast<std::size_t>(t - 50)] : 1.0;
    const double eps = 0.5 * z;
    const double z0 = (z - std::sqrt(1 - abar) * eps) / std::sqrt(abar);
    z = std::sqrt(next) * z0 + std::sqrt(1 - next) * eps;
  }
  EXPECT_NEAR(run_half(SamplerKind::ddim_trailing, 20), z, 1e-10);
}

// With the model that knows the picture, every sampler ends at it, whatever the steps.
TEST(Plan, APerfectModelGivesThePicture) {
  const Schedule schedule{DiffusionOptions{}};
  for (const auto kind :
       {SamplerKind::ddim, SamplerKind::ddim_trailing, SamplerKind::dpmpp, SamplerKind::iddpm}) {
    for (const int steps : {1, 2, 7, 20, 400}) {
      double z = 0.8;
      for (const auto& step : sampling_plan(schedule, kind, steps)) {
        z = step.z_weight * z + (step.picture_weight + step.before_weight) * 0.3;
      }
      EXPECT_NEAR(z, 0.3, 1e-9) << name(kind) << " " << steps;
    }
  }
}

// The other two end where a little noise is left: what was noise at first is there in its share.
TEST(Plan, APerfectModelLeavesTheNoiseOfTheLastPoint) {
  const Schedule s{DiffusionOptions{}};
  for (const auto kind : {SamplerKind::dpmpp_authors, SamplerKind::sa}) {
    for (const int steps : {1, 2, 7, 20}) {
      double z = s.alpha.back() * 0.3;
      double z_before = 0;
      for (const auto& step : sampling_plan(s, kind, steps)) {
        if (step.corrects) z = step.fix_z * z_before + (step.fix_picture + step.fix_before) * 0.3;
        z_before = z;
        z = step.z_weight * z + (step.picture_weight + step.before_weight) * 0.3;
      }
      EXPECT_NEAR(z, s.alpha.front() * 0.3, 1e-9) << name(kind) << " " << steps;
    }
  }
}

TEST(Plan, RefusesMoreStepsThanTimesteps) {
  const Schedule schedule{DiffusionOptions{}};
  EXPECT_THROW((void)sampling_plan(schedule, SamplerKind::ddim, 1001), ConfigurationError);
  EXPECT_THROW((void)sampling_plan(schedule, SamplerKind::dpmpp, 0), ConfigurationError);
  EXPECT_THROW((void)sampling_plan(schedule, SamplerKind::dpmpp, 1000), ConfigurationError);
}

}  // namespace
}  // namespace evd::nn
