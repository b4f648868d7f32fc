#include "judge/metrics.hpp"

#include <gtest/gtest.h>

#include "judge/world.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Status;
using shard::Verdict;

const shard::Metric* find(const std::vector<shard::Metric>& rows, const std::string& metric,
                          const std::string& category, const std::string& teacher) {
  for (const auto& row : rows)
    if (row.metric.text == metric && row.category.text == category && row.teacher.text == teacher)
      return &row;
  return nullptr;
}

// Teachers t0..t2 were asked for one prompt; `came` of them gave a picture, the first won.
void add_prompt(Measures& measures, std::size_t came, bool human) {
  static std::vector<Picture> pictures;
  auto prompt = sample("prompt", Status::member);
  prompt.category_human = human;
  pictures.clear();
  for (int t = 0; t < 3; ++t)
    pictures.push_back(picture(prompt.id, "t" + std::to_string(t), t, "x"));
  Item item{.drawn = 3};
  for (std::size_t t = 0; t < came; ++t) item.contestants.push_back(&pictures[t]);
  measures.selected(prompt, item, {.complete = true, .winner = &pictures[0]});
}

TEST(Rates, WonTournamentCountsOnlyPromptsThatAllAnswered) {
  const Rules used = rules(3);
  Measures measures(used);
  add_prompt(measures, 3, true);
  add_prompt(measures, 3, false);
  add_prompt(measures, 2, true);  // one refused
  const auto rows = measures.rows();
  const auto* first = find(rows, "won_tournament", "all", "t0");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->count, 2);
  EXPECT_DOUBLE_EQ(first->value, 1);
  EXPECT_DOUBLE_EQ(find(rows, "won_tournament", "all", "t2")->value, 0);
  EXPECT_EQ(find(rows, "won_tournament", "human", "t0")->count, 1);
  EXPECT_EQ(find(rows, "won_tournament", "text", "t0"), nullptr);
}

TEST(Rates, BeatBaseSharesOneDenominator) {
  const Rules used = rules(2);
  Measures measures(used);
  const auto duel = [&](const char* target, const char* drawn, Verdict verdict) {
    auto member = sample("member", Status::member);
    member.target_teacher = {target};
    member.teachers_drawn = {drawn};
    measures.discriminated(member, verdict);
  };
  duel("t0", "t0+t1", Verdict::a);
  duel("t0", "t0+t1", Verdict::b);
  duel("t1", "t0+t1", Verdict::a);
  duel("t1", "t0+t1", Verdict::tie);
  duel("t1", "t1", Verdict::a);  // t0 did not answer
  duel("imported", "imported", Verdict::a);
  const auto rows = measures.rows();
  EXPECT_EQ(find(rows, "beat_base", "all", "t0")->count, 4);
  EXPECT_DOUBLE_EQ(find(rows, "beat_base", "all", "t0")->value, 0.25);
  EXPECT_DOUBLE_EQ(find(rows, "beat_base", "all", "t1")->value, 0.25);
  EXPECT_EQ(find(rows, "beat_base", "all", "imported")->count, 1);
  EXPECT_LT(find(rows, "beat_base", "all", "t0")->low, 0.25);
  EXPECT_GT(find(rows, "beat_base", "all", "t0")->high, 0.25);
}

TEST(Rates, SizesAndPositionBias) {
  const State state = world(9, {.members = 50, .waiting = 20, .render_share = 1});
  FakeVlm vlm;
  vlm.bias = 0.7;
  const auto decision = decided(state, rules(), vlm);
  const auto* bias = find(decision.metrics, "position_bias", "all", "");
  ASSERT_NE(bias, nullptr);
  EXPECT_NEAR(bias->value, 0.7, 1e-3);
  EXPECT_EQ(bias->count, decision.tallies.at("judged"));
  const auto* members = find(decision.metrics, "members", "all", "");
  EXPECT_EQ(members->count, decision.tallies.at("members"));
  std::int64_t by_operation = 0;
  for (const auto* operation : {"seed", "expand", "mutate", "import"})
    by_operation += find(decision.metrics, std::string("members_") + operation, "all", "")->count;
  EXPECT_EQ(by_operation, members->count);
}

}  // namespace
}  // namespace evd::judge
