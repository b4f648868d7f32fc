#include "vlm/combine.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace evd::vlm {
namespace {

using shard::Verdict;

float sigmoid(double x) { return static_cast<float>(1.0 / (1.0 + std::exp(-x))); }

TEST(Combine, AnAdditivePositionBiasCancels) {
  Random random(3, Purpose::test);
  for (int i = 0; i < 1000; ++i) {
    const double quality = 2 * random.normal();
    const double bias = random.normal();
    const auto pair = combine(sigmoid(bias + quality), sigmoid(bias - quality), 0.5);
    EXPECT_NEAR(pair.margin, quality, 2e-2);
    EXPECT_NEAR(pair.bias, bias, 2e-2);
    EXPECT_NEAR(pair.probability, sigmoid(quality), 2e-3);
  }
}

TEST(Combine, ShowingTheSamePairTheOtherWayRoundMirrorsIt) {
  const auto pair = combine(0.9F, 0.3F, 0.5);
  const auto mirrored = combine(0.3F, 0.9F, 0.5);
  EXPECT_FLOAT_EQ(pair.margin, -mirrored.margin);
  EXPECT_FLOAT_EQ(pair.bias, mirrored.bias);
  EXPECT_EQ(pair.verdict, Verdict::a);
  EXPECT_EQ(mirrored.verdict, Verdict::b);
}

TEST(Combine, AlwaysTheFirstPlaceIsATieAndAllBias) {
  const auto pair = combine(0.95F, 0.95F, 0.5);
  EXPECT_EQ(pair.verdict, Verdict::tie);
  EXPECT_FLOAT_EQ(pair.probability, 0.5F);
  EXPECT_NEAR(pair.bias, std::log(19.0), 1e-4);
}

TEST(Combine, TheMarginDecides) {
  EXPECT_EQ(combine(sigmoid(0.49), sigmoid(-0.49), 0.5).verdict, Verdict::tie);
  EXPECT_EQ(combine(sigmoid(0.51), sigmoid(-0.51), 0.5).verdict, Verdict::a);
  EXPECT_EQ(combine(sigmoid(-0.51), sigmoid(0.51), 0.5).verdict, Verdict::b);
  EXPECT_EQ(combine(0.5F, 0.5F, 0.0).verdict, Verdict::tie);
}

TEST(Combine, ClampsCertainty) {
  const auto pair = combine(1.0F, 0.0F, 0.5);
  EXPECT_TRUE(std::isfinite(pair.margin));
  EXPECT_NEAR(pair.margin, std::log((1 - 1e-6) / 1e-6), 1e-3);
}

TEST(Combine, AMissingOrderIsUnjudgeable) {
  for (const auto& pair : {combine(std::nullopt, 0.9F, 0.5), combine(0.9F, std::nullopt, 0.5)}) {
    EXPECT_EQ(pair.verdict, Verdict::unjudgeable);
    EXPECT_FLOAT_EQ(pair.margin, 0);
    EXPECT_FLOAT_EQ(pair.probability, 0.5F);
  }
}

}  // namespace
}  // namespace evd::vlm
