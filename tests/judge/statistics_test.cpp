#include "judge/statistics.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace evd::judge {
namespace {

// Known answers: R, binom::binom.confint(x, n, methods = "wilson").
TEST(Wilson, KnownAnswers) {
  const auto check = [](double hits, std::int64_t count, double low, double high) {
    const auto estimate = wilson(hits, count);
    EXPECT_NEAR(estimate.value, hits / static_cast<double>(count), 1e-12);
    EXPECT_NEAR(estimate.low, low, 1e-6) << hits << "/" << count;
    EXPECT_NEAR(estimate.high, high, 1e-6) << hits << "/" << count;
    EXPECT_EQ(estimate.count, count);
  };
  check(8, 10, 0.4901625, 0.9433178);
  check(0, 10, 0.0, 0.2775328);
  check(10, 10, 0.7224672, 1.0);
  check(50, 100, 0.4038315, 0.5961685);
  check(1, 1000, 0.000176575, 0.005642565);
}

TEST(Wilson, NothingIsZero) {
  EXPECT_EQ(wilson(0, 0).count, 0);
  EXPECT_EQ(wilson(0, 0).high, 0);
}

TEST(Wilson, TiesCountHalf) { EXPECT_DOUBLE_EQ(wilson(2.5, 5).value, 0.5); }

TEST(Mean, KnownAnswer) {
  const std::vector<double> values = {1, 2, 3, 4, 5};
  const auto estimate = mean_estimate(values);
  EXPECT_DOUBLE_EQ(estimate.value, 3);
  EXPECT_NEAR(estimate.high - 3, 1.959964 * 0.7071068, 1e-5);  // sd sqrt(2.5), n = 5
  EXPECT_NEAR(3 - estimate.low, 1.959964 * 0.7071068, 1e-5);
  EXPECT_EQ(mean_estimate({}).count, 0);
  EXPECT_DOUBLE_EQ(mean_estimate(std::vector<double>{2}).low, 2);
}

}  // namespace
}  // namespace evd::judge
