#include <gtest/gtest.h>

#include "fault/charges.hpp"

namespace evd::test {
namespace {

// Forth and back by days and years, among several questions of one process.
const std::map<std::string, std::string> kJumping = {
    {"LD_PRELOAD", EVD_JUMPING_CLOCK},
    {"EVD_CLOCK_JUMPS", "0,86400,-86400,315360000,-315360000,3600,-1"}};
const std::map<std::string, std::string> kYearsAhead = {{"LD_PRELOAD", EVD_JUMPING_CLOCK},
                                                        {"EVD_CLOCK_JUMPS", "315360000"}};

// Durations come from the monotonic clock, and no decision from either: a stage whose wall clock
// jumps while it runs, or that was killed ten years ahead of the life that goes on, ends as if
// nothing had been.
TEST(JumpingClock, ChangesNothing) {
  const TinyCampaign calm;
  const TinyCampaign jumping;
  const TinyCampaign killed;
  std::vector<TinyCampaign::Step> chain;
  for (const auto& step : TinyCampaign::chain(1)) {
    if (step.directory.starts_with("start/")) continue;
    const auto& [program, arguments, directory] = step;
    if (program == "judge" && arguments.front() == "--score") continue;
    chain.push_back(step);
    ASSERT_EQ(calm.stage(program, 2, arguments).code, 0) << directory;
    const auto jumped = jumping.stage(program, 2, arguments, kJumping);
    ASSERT_EQ(jumped.code, 0) << directory << jumped.story();
    auto environment = kYearsAhead;
    environment.insert({{"EVD_KILL_AT", "10"}, {"EVD_KILL_RANK", "0"}});
    const auto dead = killed.stage(program, 2, arguments, environment);
    EXPECT_NE(dead.code, 0) << directory << dead.story();
    const auto again = killed.stage(program, 2, arguments);
    ASSERT_EQ(again.code, 0) << directory << again.story();
  }
  ASSERT_EQ(chain.size(), 4U);
  for (const auto* other : {&jumping, &killed}) {
    EXPECT_EQ(other->contents(), calm.contents());
    expect_nothing_paid_twice(*other, chain);
    const auto verify = other->evd("verify", {"--deep"});
    EXPECT_EQ(verify.code, 0) << verify.story();
  }
  // The years are there to be seen, so the clock did jump.
  const auto told = jumping.evd(
      "query",
      {"SELECT max(answered_ms) - min(answered_ms) > 300000000000 AS years FROM images", "--csv"});
  EXPECT_EQ(told.out, "years\n1\n") << told.story();
}

}  // namespace
}  // namespace evd::test
