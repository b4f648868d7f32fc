#include "train/rates.hpp"

#include <gtest/gtest.h>

namespace evd::train {
namespace {

TEST(Rates, AreThoseOfTheLastSteps) {
  const nn::NetworkOptions network;
  const nn::DiffusionOptions diffusion;
  RateMeter meter(network, diffusion, 64, 1e12);
  EXPECT_EQ(meter.rates().images_per_s, 0);
  meter.step(0, 640);
  EXPECT_EQ(meter.rates().images_per_s, 0);
  double now_s = 0;
  for (int i = 0; i < 100; ++i) meter.step(now_s += 10, 640);  // slow at first
  for (int i = 0; i < 30; ++i) meter.step(now_s += 0.5, 640);
  const auto rates = meter.rates();
  EXPECT_NEAR(rates.images_per_s, 128, 1e-9);
  EXPECT_NEAR(rates.tokens_per_s, 128 * 16, 1e-6);
  const double flops = training_flops(network, diffusion, {64, 16, 640});
  EXPECT_NEAR(rates.flops_per_s, 2 * flops, 1e-3 * flops);
  EXPECT_NEAR(rates.utilisation, 2 * flops / 1e12, 1e-6);
}

TEST(Rates, AreTold) {
  EXPECT_EQ(to_text({312.4, 5000, 4.2e10, 0}), "312 images/s, 5e+03 tokens/s, 42 GFLOP/s");
  EXPECT_EQ(to_text({12, 800, 1.25e12, 0.41}), "12 images/s, 800 tokens/s, 1.25 TFLOP/s, MFU 41 %");
}

}  // namespace
}  // namespace evd::train
