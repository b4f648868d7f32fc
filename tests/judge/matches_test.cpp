#include "judge/matches.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "judge/world.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Verdict;

struct Ring {
  shard::Sample prompt = sample("a red cat", shard::Status::waiting);
  Rules used = rules(4);
  FakeVlm vlm;
  std::vector<Picture> pictures;
  std::vector<const Picture*> contestants;

  void enter(const std::vector<std::string>& contents) {
    pictures.clear();
    contestants.clear();
    for (std::size_t i = 0; i < contents.size(); ++i)
      pictures.push_back(
          picture(prompt.id, "t" + std::to_string(i), static_cast<int>(i), contents[i]));
    for (const auto& one : pictures) contestants.push_back(&one);
  }
  Tournament fight() {
    const auto lookup = vlm.lookup();
    Inquiry inquiry(used, lookup);
    return tournament(inquiry, prompt, contestants);
  }
  [[nodiscard]] const Picture* best() const {
    return *std::max_element(contestants.begin(), contestants.end(), [](auto* a, auto* b) {
      return quality(a->sha256) < quality(b->sha256);
    });
  }
};

TEST(Tournament, TheBestWinsWhateverTheOrderAndThePositionBias) {
  for (int i = 0; i < 50; ++i) {
    Ring ring;
    ring.used.seed = static_cast<std::uint64_t>(i);
    ring.used.judge.tie_margin = 0;
    ring.vlm.bias = 2.5;
    ring.enter({"one", "two", "three", "four"});
    const auto result = ring.fight();
    ASSERT_TRUE(result.complete);
    EXPECT_EQ(result.winner, ring.best());
    EXPECT_EQ(result.matches.size(), 3U);
    EXPECT_NE(result.runner_up, nullptr);
    EXPECT_NE(result.runner_up, result.winner);
    EXPECT_EQ(ring.vlm.asked.size(), 6U);  // each match in both orders
    for (const auto& match : result.matches) EXPECT_NEAR(match.outcome.bias, 2.5, 1e-3);
  }
}

TEST(Tournament, OnePictureWinsWithoutAQuestion) {
  Ring ring;
  ring.enter({"only"});
  const auto result = ring.fight();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.winner, ring.contestants[0]);
  EXPECT_EQ(result.runner_up, nullptr);
  EXPECT_TRUE(ring.vlm.asked.empty());
}

TEST(Tournament, ATieKeepsTheIncumbent) {
  Ring ring;
  ring.used.judge.tie_margin = 50;  // everything ties
  ring.enter({"one", "two", "three"});
  const auto order = drawn_order(ring.used, ring.prompt, ring.contestants);
  const auto result = ring.fight();
  EXPECT_EQ(result.winner, order[0]);
  EXPECT_EQ(result.runner_up, order[2]);
  for (const auto& match : result.matches) EXPECT_EQ(match.outcome.verdict, Verdict::tie);
}

TEST(Tournament, IdenticalBytesTieWithoutAQuestion) {
  Ring ring;
  ring.enter({"same", "same"});
  const auto result = ring.fight();
  ASSERT_TRUE(result.complete);
  EXPECT_TRUE(result.matches[0].identical);
  EXPECT_EQ(result.matches[0].outcome.verdict, Verdict::tie);
  EXPECT_TRUE(ring.vlm.asked.empty());
}

TEST(Tournament, AnUnreadableJudgeKeepsTheIncumbentAfterMaxAsks) {
  Ring ring;
  ring.vlm.unreadable = 1;
  ring.used.judge.max_asks = 4;
  ring.enter({"one", "two"});
  const auto result = ring.fight();
  ASSERT_TRUE(result.complete);
  EXPECT_EQ(result.winner, drawn_order(ring.used, ring.prompt, ring.contestants)[0]);
  EXPECT_EQ(result.matches[0].outcome.verdict, Verdict::unjudgeable);
  EXPECT_EQ(ring.vlm.asked.size(), 8U);
}

TEST(Tournament, ARefusalIsNotAskedAgain) {
  Ring ring;
  ring.vlm.instead = [](const Ask&, shard::Answer& answer) {
    answer.outcome = shard::Outcome::refused;
    return true;
  };
  ring.enter({"one", "two"});
  EXPECT_EQ(ring.fight().matches[0].outcome.verdict, Verdict::unjudgeable);
  EXPECT_EQ(ring.vlm.asked.size(), 2U);
}

TEST(Tournament, BothOrdersAreAskedAtOnceAndTheNextMatchLater) {
  Ring ring;
  ring.enter({"one", "two", "three"});
  const Lookup nothing = [](const Ask&) -> const shard::Answer* { return nullptr; };
  Inquiry inquiry(ring.used, nothing);
  EXPECT_FALSE(tournament(inquiry, ring.prompt, ring.contestants).complete);
  ASSERT_EQ(inquiry.missing().size(), 2U);
  EXPECT_EQ(inquiry.missing()[0].first, inquiry.missing()[1].second);
  EXPECT_NE(inquiry.missing()[0].key, inquiry.missing()[1].key);
}

TEST(Keys, DependOnWhatIsAskedAndNotOnTheRound) {
  Ring ring;
  ring.enter({"one", "two", "three"});
  const auto key = [&](const Rules& used, const Picture* a, const Picture* b, int attempt) {
    Ask ask{.sample = &ring.prompt,
            .first = a,
            .second = b,
            .shown = {32, 32},
            .attempt = attempt,
            .question = vlm::verdict(ring.prompt.prompt, 0)};
    seal(ask, used);
    return ask.key;
  };
  const auto* a = ring.contestants[0];
  const auto* b = ring.contestants[1];
  const auto base = key(ring.used, a, b, 0);
  Rules later = ring.used;
  later.round = 9;
  EXPECT_EQ(key(later, a, b, 0), base);
  EXPECT_NE(key(ring.used, b, a, 0), base);
  EXPECT_NE(key(ring.used, a, ring.contestants[2], 0), base);
  EXPECT_NE(key(ring.used, a, b, 1), base);
  later.model = "another";
  EXPECT_NE(key(later, a, b, 0), base);
  later = ring.used;
  later.ask_epoch = 1;
  EXPECT_NE(key(later, a, b, 0), base);
}

TEST(CommonExtent, IsTheSmallerOfBothAndKeepsTheAspect) {
  Picture large{.width = 256, .height = 128};
  Picture small{.width = 64, .height = 64};
  EXPECT_EQ(common_extent(large, small, 0), (Extent{64, 64}));
  EXPECT_EQ(common_extent(large, large, 0), (Extent{256, 128}));
  EXPECT_EQ(common_extent(large, large, 64), (Extent{64, 32}));
  EXPECT_EQ(common_extent(small, small, 128), (Extent{128, 128}));
  Picture thin{.width = 1000, .height = 1};
  EXPECT_EQ(common_extent(thin, thin, 10), (Extent{10, 1}));
}

TEST(Discriminate, ChanceAndAlwaysAskNobody) {
  Ring ring;
  ring.enter({"target", "render"});
  int teacher = 0;
  for (int i = 0; i < 400; ++i) {
    ring.used.judge.choose = run::Choose::random;
    ring.used.judge.choose_p = 0.25;
    ring.used.round = i;
    const auto lookup = ring.vlm.lookup();
    Inquiry inquiry(ring.used, lookup);
    const auto match = discriminate(inquiry, ring.prompt, ring.pictures[0], ring.pictures[1]);
    if (match->outcome.verdict == Verdict::a) ++teacher;
    EXPECT_EQ(match->chosen_by, shard::ChosenBy::random);
    ring.used.judge.choose = run::Choose::all;
    EXPECT_EQ(
        discriminate(inquiry, ring.prompt, ring.pictures[0], ring.pictures[1])->outcome.verdict,
        Verdict::a);
  }
  EXPECT_NEAR(teacher, 100, 30);
  EXPECT_TRUE(ring.vlm.asked.empty());
}

}  // namespace
}  // namespace evd::judge
