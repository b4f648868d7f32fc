#include "teacher/retry.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace evd::teacher {
namespace {

constexpr double kNow = 1696004797;  // Fri, 29 Sep 2023 16:26:37 GMT

// The vectors of openai-python's own tests.
TEST(RetryAfter, SecondsAndDates) {
  const auto wait = [](const std::string& header) { return retry_after("", header, kNow); };
  EXPECT_EQ(wait("20").seconds, 20);
  EXPECT_EQ(wait("1.5").seconds, 1.5);
  EXPECT_EQ(wait("Fri, 29 Sep 2023 16:26:57 GMT").seconds, 20);
  EXPECT_EQ(wait("86400").seconds, 86400) << "whether that is too long, the patience says";
  for (const char* header : {"0", "-10", "", "inf", "-inf", "nan", "Zun, 29 Sep 2023 16:26:27 GMT",
                             "60 apples", "Fri, 29 Sep 2023 16:26:37 GMT",
                             "Fri, 29 Sep 2023 16:26:27 GMT", "Sun, 29 Sep 100000 16:26:27 GMT"})
    EXPECT_EQ(wait(header).seconds, 0) << header;
  // Such a one means: not now. Ignored, it was asked again and again.
  for (const char* header :
       {"99999999999999999999999999999999999", "Fri, 31 Dec 2027 16:26:37 GMT"})
    EXPECT_EQ(wait(header).seconds, 31 * 86400) << header;
}

TEST(RetryAfter, MillisecondsComeFirst) {
  EXPECT_EQ(retry_after("120000", "7", kNow).seconds, 120);
  EXPECT_EQ(retry_after("250", "", kNow).seconds, 0.25);
  EXPECT_EQ(retry_after("what", "7", kNow).seconds, 7);
}

TEST(Backoff, IsFullJitterUnderAGrowingCap) {
  for (int failures = 0; failures < 10; ++failures) {
    const double cap = std::min(30.0, std::exp2(failures));
    double sum = 0;
    for (std::uint64_t i = 0; i < 2000; ++i) {
      const double pause = backoff_s(failures, {}, Random(1, Purpose::test, i, 0));
      ASSERT_GE(pause, 0);
      ASSERT_LT(pause, cap);
      sum += pause;
    }
    EXPECT_NEAR(sum / 2000 / cap, 0.5, 0.03) << failures;
  }
}

TEST(Backoff, AHintIsAFloorWithUpToATenthMore) {
  for (std::uint64_t i = 0; i < 500; ++i) {
    const double pause = backoff_s(0, {20}, Random(1, Purpose::test, i, 0));
    ASSERT_GE(pause, 20);
    ASSERT_LE(pause, 22);
  }
}

}  // namespace
}  // namespace evd::teacher
