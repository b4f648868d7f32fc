// The training loss: noise with learned variance (improved DDPM, arXiv 2102.09672), and v (arXiv
// 2202.00512).
#include "nn/diffusion.hpp"

#include <array>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::nn {
namespace {

DiffusionOptions noise_and_variance() {
  DiffusionOptions options;
  options.prediction = Prediction::noise;
  options.learned_variance = true;
  return options;
}

at::Tensor scalar(double value) { return at::full({1, 1, 1, 1}, value, at::kDouble); }

at::Tensor two(double first, double second) {
  at::Tensor both = at::zeros({1, 2, 1, 1}, at::kDouble);
  both.flatten()[0] = first;
  both.flatten()[1] = second;
  return both;
}

TEST(Loss, VariationalBoundKnownAnswers) {
  struct Known {
    int t;
    double z;
    double bound;
  };
  const std::array<Known, 5> known = {{{0, .30698499962, 1.5566440339334269},
                                       {1, .31034751703, 0.074687067267918},
                                       {5, .32084729248, 0.009558508817324715},
                                       {500, .75589608933, 7.961143087179334e-05},
                                       {999, .70189171988, 0.00014721976981230036}}};
  const auto options = noise_and_variance();
  const Schedule schedule(options);
  for (const auto& k : known) {
    const Diffusion diffusion(schedule, options, std::array{k.t}, at::kDouble);
    const auto z = diffusion.noised(scalar(.3), scalar(.7));
    EXPECT_NEAR(z.item<double>(), k.z, 1e-10);
    const double bound = diffusion.variational_bound(two(.6, .2), scalar(.3), z).item<double>();
    EXPECT_NEAR(bound, k.bound, 1e-9 * (1 + k.bound)) << "t = " << k.t;
    EXPECT_NEAR(diffusion.loss(two(.6, .2), scalar(.3), scalar(.7)).item<double>(), .01 + bound,
                1e-12);
  }
}

// At the start the output is zero: mean square 1, bound 0.01415 on average over the timesteps.
TEST(Loss, OfANetworkThatGivesZeros) {
  const auto options = noise_and_variance();
  const Schedule schedule(options);
  std::vector<int> timesteps;
  for (int t = 1; t < 1000; ++t) timesteps.push_back(t);
  const Diffusion diffusion(schedule, options, timesteps, at::kDouble);
  const at::Tensor z0 = at::randn({999, 4, 16, 16}, at::kDouble) * 0.5;
  const at::Tensor noise = at::randn({999, 4, 16, 16}, at::kDouble);
  const at::Tensor out = at::zeros({999, 8, 16, 16}, at::kDouble);
  EXPECT_NEAR(diffusion.loss(out, z0, noise).mean().item<double>(), 1.014, 0.01);
  const double bound =
      diffusion.variational_bound(out, z0, diffusion.noised(z0, noise)).sum().item<double>() / 1000;
  EXPECT_NEAR(bound, 0.0141499926, 2e-4);
}

TEST(Loss, BoundLeavesTheMeanAlone) {
  const auto options = noise_and_variance();
  const Schedule schedule(options);
  const Diffusion diffusion(schedule, options, std::array{0, 300}, at::kDouble);
  at::Tensor out = at::randn({2, 2, 4, 4}, at::kDouble).requires_grad_(true);
  const at::Tensor z0 = at::randn({2, 1, 4, 4}, at::kDouble);
  diffusion.variational_bound(out, z0, z0 * 0.5).sum().backward();
  EXPECT_EQ(out.grad().narrow(1, 0, 1).abs().max().item<double>(), 0);
  EXPECT_GT(out.grad().narrow(1, 1, 1).abs().max().item<double>(), 0);
}

TEST(Loss, WeightsAreOfTheSquareErrorAlone) {
  const auto options = noise_and_variance();
  const Schedule schedule(options);
  const Diffusion diffusion(schedule, options, std::array{5, 500}, at::kDouble);
  const at::Tensor out = at::randn({2, 2, 4, 4}, at::kDouble);
  const at::Tensor z0 = at::randn({2, 1, 4, 4}, at::kDouble);
  const at::Tensor noise = at::randn({2, 1, 4, 4}, at::kDouble);
  const at::Tensor bound = diffusion.variational_bound(out, z0, diffusion.noised(z0, noise));
  const at::Tensor error = diffusion.loss(out, z0, noise) - bound;
  const at::Tensor weighted = diffusion.loss(out, z0, noise, std::array{0.25F, 3.0F}) - bound;
  EXPECT_NEAR(weighted[0].item<double>(), 0.25 * error[0].item<double>(), 1e-12);
  EXPECT_NEAR(weighted[1].item<double>(), 3 * error[1].item<double>(), 1e-12);
  EXPECT_THROW((void)diffusion.loss(out, z0, noise, std::array{1.0F}), InternalError);
}

// v = alpha n - sigma z0, so that z0 = alpha z - sigma v and n = sigma z + alpha v.
TEST(Loss, VPredictionIsZeroAtTheTrueV) {
  const DiffusionOptions options;
  const Schedule schedule(options);
  const std::array timesteps = {3, 777};
  const Diffusion diffusion(schedule, options, timesteps, at::kDouble);
  const at::Tensor z0 = at::randn({2, 3, 4, 4}, at::kDouble);
  const at::Tensor noise = at::randn({2, 3, 4, 4}, at::kDouble);
  at::Tensor v = at::zeros({2, 3, 4, 4}, at::kDouble);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto t = static_cast<std::size_t>(timesteps[i]);
    const auto b = static_cast<std::int64_t>(i);
    v[b] = noise[b] * schedule.alpha[t] - z0[b] * schedule.sigma[t];
  }
  EXPECT_LT(diffusion.loss(v, z0, noise).max().item<double>(), 1e-28);
  const auto z = diffusion.noised(z0, noise);
  EXPECT_NEAR(diffusion.loss(v + 0.5, z0, noise)[0].item<double>(), 0.25, 1e-12);
  EXPECT_EQ(diffusion.loss(v, z0, noise).numel(), 2);
}

}  // namespace
}  // namespace evd::nn
