#include "rehearsal/trouble.hpp"

#include <map>

#include <gtest/gtest.h>

namespace evd::rehearsal {
namespace {

Sha256 request(std::uint64_t i) { return sha256(std::to_string(i)); }

TEST(Dice, TroubleComesAtItsRate) {
  const TroubleRates rates{.fail = 0.2, .throttle = 0.1, .nonsense = 0.05, .truncate = 0.15};
  std::map<Trouble, int> counts;
  constexpr int kRequests = 20000;
  for (std::uint64_t i = 0; i < kRequests; ++i) ++counts[Dice(1, request(i), 0).trouble(rates)];
  const auto share = [&](Trouble trouble) { return counts[trouble] / double{kRequests}; };
  EXPECT_NEAR(share(Trouble::internal_error) + share(Trouble::unavailable), 0.2, 0.01);
  EXPECT_NEAR(share(Trouble::throttled), 0.1, 0.01);
  EXPECT_NEAR(share(Trouble::nonsense), 0.05, 0.01);
  EXPECT_NEAR(share(Trouble::cut), 0.15, 0.01);
  EXPECT_EQ(Dice(1, request(1), 0).trouble({}), Trouble::none);
}

TEST(Dice, AnotherAttemptIsAnotherDrawOfTroubleButNotOfPictures) {
  const TroubleRates rates{.fail = 0.5};
  int differ = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Dice first(1, request(i), 0);
    const Dice second(1, request(i), 1);
    differ += first.trouble(rates) != second.trouble(rates);
    Random a = first.picture();
    Random b = second.picture();
    EXPECT_EQ(a.next_u64(), b.next_u64());
    EXPECT_EQ(first.trouble(rates), Dice(1, request(i), 0).trouble(rates));
  }
  EXPECT_GT(differ, 300);
}

TEST(Dice, DrawsDependOnSeedRequestAndUse) {
  const auto first = [](Random random) { return random.next_u64(); };
  const Dice dice(1, request(1), 0);
  EXPECT_NE(first(dice.picture(0)), first(dice.picture(1)));
  EXPECT_NE(first(dice.picture(0)), first(dice.thought()));
  EXPECT_NE(first(dice.picture(0)), first(Dice(2, request(1), 0).picture(0)));
  EXPECT_NE(first(dice.picture(0)), first(Dice(1, request(2), 0).picture(0)));
}

TEST(Refusal, BelongsToThePromptAndTheTeacher) {
  int refusals = 0;
  int both = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string prompt = "prompt " + std::to_string(i);
    const bool a = refused(0.1, 1, "aurora", prompt);
    EXPECT_EQ(a, refused(0.1, 1, "aurora", prompt));
    refusals += a;
    both += a && refused(0.1, 1, "glyph", prompt);
  }
  EXPECT_NEAR(refusals / 4000.0, 0.1, 0.02);
  EXPECT_LT(both, refusals / 2);
}

}  // namespace
}  // namespace evd::rehearsal
