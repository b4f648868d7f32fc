#include "judge/scoring.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "judge/world.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Status;

ScoreState heldout(int prompts) {
  ScoreState state;
  for (int i = 0; i < prompts; ++i) {
    state.prompts.push_back(sample("held-out prompt " + std::to_string(i), Status::heldout));
    const auto& prompt = state.prompts.back();
    state.renders.push_back(picture(prompt.id, "base", 99, "render " + prompt.prompt));
    for (int t = 0; t < 2; ++t)
      state.drawn.push_back(picture(prompt.id, "t" + std::to_string(t), t,
                                    "t" + std::to_string(t) + " for " + prompt.prompt));
  }
  return state;
}

double metric(const Decision& decision, const std::string& name, const std::string& teacher) {
  for (const auto& row : decision.metrics)
    if (row.metric.text == name && row.category.text == "all" && row.teacher.text == teacher)
      return row.value;
  ADD_FAILURE() << name << " " << teacher;
  return NAN;
}

Decision scored(ScoreState& state, const Rules& used, FakeVlm& vlm) {
  choose_prompts(state, used);
  return decide_score(state, used, vlm.lookup());
}

TEST(Score, WinShareAgainstEachTeacherAndAlignment) {
  auto state = heldout(200);
  FakeVlm vlm;
  const auto decision = scored(state, rules(), vlm);
  EXPECT_EQ(decision.pairs.size(), 400U);
  EXPECT_TRUE(decision.set.empty());
  double won = 0;
  double alignment = 0;
  for (const auto& pair : decision.pairs)
    if (pair.teacher_a.text == "t0")
      won += pair.verdict == shard::Verdict::b ? 1 : pair.verdict == shard::Verdict::tie ? 0.5 : 0;
  for (const auto& render : state.renders)
    alignment += std::round(50 + 16 * quality(render.sha256)) / 100 / 200;
  EXPECT_NEAR(metric(decision, "win_share", "t0"), won / 200, 1e-9);
  EXPECT_NEAR(metric(decision, "alignment", ""), alignment, 1e-6);
  EXPECT_EQ(decision.tallies.at("aligned"), 200);
}

TEST(Score, TheCeilingIsAskedForWithTheStartWeightsOnly) {
  auto state = heldout(20);
  FakeVlm vlm;
  const auto without = scored(state, rules(), vlm);
  EXPECT_EQ(without.tallies.at("aligned"), 20);
  state.ceiling = true;
  const auto with = scored(state, rules(), vlm);
  EXPECT_EQ(with.tallies.at("aligned"), 60);
  EXPECT_GE(metric(with, "alignment_teacher", "t1"), 0);
}

TEST(Score, TakesAShareOfThePromptsBySeedAndTheSameEachRound) {
  const auto chosen = [](int round, std::uint64_t seed) {
    auto state = heldout(50);
    Rules used = rules();
    used.judge.score_prompts = 10;
    used.round = round;
    used.seed = seed;
    choose_prompts(state, used);
    std::vector<SampleId> ids;
    for (const auto& prompt : state.prompts) ids.push_back(prompt.id);
    return ids;
  };
  EXPECT_EQ(chosen(0, 1).size(), 10U);
  EXPECT_EQ(chosen(0, 1), chosen(7, 1));
  EXPECT_NE(chosen(0, 1), chosen(0, 2));
}

TEST(Score, MissingPicturesLeaveTheDenominatorHonest) {
  auto state = heldout(10);
  state.drawn[0].outcome = shard::Outcome::refused;
  state.renders.pop_back();
  FakeVlm vlm;
  const auto decision = scored(state, rules(), vlm);
  EXPECT_EQ(decision.tallies.at("prompts"), 9);
  EXPECT_EQ(decision.pairs.size(), 17U);
}

TEST(Score, UnreadableAnswersAreCountedAndLeftOut) {
  auto state = heldout(10);
  FakeVlm vlm;
  vlm.unreadable = 1;
  const auto decision = scored(state, rules(), vlm);
  EXPECT_EQ(decision.tallies.at("unjudgeable"), 20);
  EXPECT_EQ(decision.tallies.at("unaligned"), 10);
  EXPECT_TRUE(decision.metrics.empty());
  EXPECT_EQ(decision.counts.failed, 20);
}

}  // namespace
}  // namespace evd::judge
