#include "core/clock.hpp"

#include <gtest/gtest.h>

namespace evd {
namespace {

TEST(Clock, Iso8601IsUtc) {
  EXPECT_EQ(iso8601(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(iso8601(951'782'400'000), "2000-02-29T00:00:00Z");
  EXPECT_EQ(iso8601(1'769'903'999'999), "2026-01-31T23:59:59Z");
}

TEST(Clock, UtcMsIsThisCentury) {
  EXPECT_GT(utc_ms(), 1'700'000'000'000);
  EXPECT_LT(utc_ms(), 4'100'000'000'000);
}

TEST(Clock, MonotonicNeverGoesBack) {
  double last = monotonic_s();
  for (int i = 0; i < 1000; ++i) {
    const double now = monotonic_s();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, DurationsReadWell) {
  EXPECT_EQ(human_duration(12.34), "12.3 s");
  EXPECT_EQ(human_duration(250), "4 min 10 s");
  EXPECT_EQ(human_duration(3 * 3600 + 300), "3 h 05 min");
  EXPECT_EQ(human_duration(-1), "?");
}

TEST(Clock, ADurationNeverShowsSixtySeconds) {
  EXPECT_EQ(human_duration(59.97), "1 min 00 s");
  EXPECT_EQ(human_duration(3599.7), "1 h 00 min");
}

}  // namespace
}  // namespace evd
