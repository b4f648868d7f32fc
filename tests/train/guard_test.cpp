#include "train/guard.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace evd::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Guard::Options options(std::int64_t spike_after = 3, std::int64_t max_in_row = 2) {
  return {10, spike_after, max_in_row};
}

TEST(Guard, LeavesOutWhatIsNotFiniteAndForgetsItAfterAGoodStep) {
  GuardMemory memory;
  Guard guard(options(), memory);
  EXPECT_EQ(guard.judge(0, 1, 1, 0), Verdict::apply);
  EXPECT_EQ(guard.judge(1, kNan, 1, 1), Verdict::not_finite);
  EXPECT_EQ(guard.judge(2, 1, std::numeric_limits<double>::infinity(), 1), Verdict::not_finite);
  EXPECT_FALSE(guard.is_lost());
  EXPECT_EQ(memory.in_row, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(guard.judge(3, 1, 1, 1), Verdict::apply);
  EXPECT_TRUE(memory.in_row.empty());
  EXPECT_EQ(memory.norms.size(), 2U);  // of applied steps only
}

TEST(Guard, IsLostAfterTooManyInARowWhateverLifeTheyFellInto) {
  GuardMemory memory;
  for (std::int64_t step = 0; step < 3; ++step) {
    Guard guard(options(), memory);  // each step another life
    EXPECT_FALSE(guard.is_lost());
    EXPECT_EQ(guard.judge(step, kNan, 1, 0), Verdict::not_finite);
  }
  EXPECT_TRUE(Guard(options(), memory).is_lost());
}

TEST(Guard, ASpikeIsAboveTheMedianOfTheLastSteps) {
  GuardMemory memory;
  Guard guard(options(), memory);
  // Off at first: a start is wild.
  EXPECT_EQ(guard.judge(0, 1, 1, 0), Verdict::apply);
  EXPECT_EQ(guard.judge(1, 1, 500, 1), Verdict::apply);
  EXPECT_EQ(guard.judge(2, 1, 2, 2), Verdict::apply);
  // Median of 1, 500 and 2, times ten.
  EXPECT_EQ(guard.judge(3, 1, 20.5, 3), Verdict::spike);
  EXPECT_EQ(guard.judge(4, 1, 19.5, 3), Verdict::apply);
  EXPECT_EQ(memory.norms, (std::vector<float>{1, 500, 2, 19.5}));
  const Guard::Options never{0, 3, 2};
  EXPECT_EQ(Guard(never, memory).judge(5, 1, 1e9, 4), Verdict::apply);
}

TEST(Guard, TheMedianIsThatOfTheLast200) {
  GuardMemory memory;
  Guard guard(options(0), memory);
  std::int64_t updates = 0;
  for (int i = 0; i < 300; ++i, ++updates) {
    EXPECT_EQ(guard.judge(updates, 1, 100, updates), Verdict::apply);
  }
  EXPECT_EQ(memory.norms.size(), Guard::kNorms);
  for (int i = 0; i < 101; ++i, ++updates) {
    EXPECT_EQ(guard.judge(updates, 1, 1, updates), Verdict::apply);
  }
  EXPECT_EQ(guard.judge(updates, 1, 11, updates), Verdict::spike);
}

TEST(Guard, KnowsTheStepsThatAreNeverTriedAgain) {
  GuardMemory memory{{}, {}, {3, 7, 8}};
  const Guard guard(options(), memory);
  EXPECT_TRUE(guard.skips(7));
  EXPECT_FALSE(guard.skips(4));
}

}  // namespace
}  // namespace evd::train
