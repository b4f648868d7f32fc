#include "teacher/pace.hpp"

#include <gtest/gtest.h>

namespace evd::teacher {
namespace {

TEST(Pace, KeepsInFlightBelowTheLimit) {
  Pace pace(2, 0);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(pace.ready(0));
    pace.begin(0);
  }
  EXPECT_FALSE(pace.ready(0));
  pace.end(0, Pace::Ended::well);
  EXPECT_TRUE(pace.ready(0));
}

TEST(Pace, HalvesAt429AndGrowsByOneEach30Seconds) {
  Pace pace(16, 0);
  for (int i = 0; i < 16; ++i) pace.begin(0);
  for (int i = 0; i < 16; ++i) pace.end(0.1, Pace::Ended::throttled);
  EXPECT_EQ(pace.limit(), 8) << "16 answers of one burst are one event";
  pace.begin(5);
  pace.end(5, Pace::Ended::throttled);
  EXPECT_EQ(pace.limit(), 4);
  EXPECT_TRUE(pace.ready(34));
  EXPECT_EQ(pace.limit(), 4);
  EXPECT_TRUE(pace.ready(35.1));
  EXPECT_EQ(pace.limit(), 5);
  EXPECT_TRUE(pace.ready(36));
  EXPECT_EQ(pace.limit(), 5);
  for (int i = 0; i < 100; ++i) static_cast<void>(pace.ready(36 + 31 * i));
  EXPECT_EQ(pace.limit(), 16);
  for (int i = 0; i < 100; ++i) {
    pace.begin(10000 + 2 * i);
    pace.end(10000 + 2 * i, Pace::Ended::throttled);
  }
  EXPECT_EQ(pace.limit(), 1) << "never stands still";
}

TEST(Pace, KeepsTheRatePerMinute) {
  Pace pace(1000, 120);  // 2 a second, 2 at once
  int started = 0;
  for (int ms = 0; ms <= 10'000; ms += 10)
    while (pace.ready(ms / 1000.0)) {
      pace.begin(ms / 1000.0);
      ++started;
    }
  EXPECT_GE(started, 21);
  EXPECT_LE(started, 22);
}

TEST(Pace, ASlowRateStillStartsAtOnce) {
  Pace pace(10, 6);
  EXPECT_TRUE(pace.ready(100));
  pace.begin(100);
  EXPECT_FALSE(pace.ready(109.9));
  EXPECT_TRUE(pace.ready(110.1));
}

}  // namespace
}  // namespace evd::teacher
