#include <gtest/gtest.h>

#include "report_figures.hpp"

namespace evd::report {
namespace {

using shard::Pair;
using shard::Sample;

SampleId id(std::uint8_t number) {
  std::array<std::uint8_t, SampleId::kBytes> bytes{};
  bytes[0] = number;
  return SampleId(bytes);
}

Sample sample(std::uint8_t number, const char* target, const char* drawn, bool text) {
  Sample row;
  row.id = id(number);
  row.status = shard::Status::member;
  row.target_teacher = {target};
  row.teachers_drawn = {drawn};
  row.category_text = text;
  return row;
}

Pair pair(std::uint8_t number, shard::Question question, const char* a, const char* b,
          shard::Verdict verdict) {
  Pair row;
  row.sample = id(number);
  row.question = question;
  row.teacher_a = {a};
  row.teacher_b = {b};
  row.verdict = verdict;
  return row;
}

TEST(TeacherRates, CountOnlyPromptsThatAllTeachersDrew) {
  using enum shard::Question;
  using enum shard::Verdict;
  const std::vector<Sample> set = {sample(1, "x", "x+y", true), sample(2, "y", "x+y", true),
                                   sample(3, "x", "x+y", false), sample(4, "x", "x", true)};
  const std::vector<Pair> pairs = {
      pair(1, select, "x", "y", a),          pair(2, select, "x", "y", b),
      pair(3, select, "y", "x", b),          pair(1, discriminate, "x", "base", a),
      pair(2, discriminate, "base", "y", a), pair(4, discriminate, "x", "base", a)};
  const auto rates = teacher_rates(set, pairs);
  EXPECT_EQ(rates.at("x").won[0].hits, 2);
  EXPECT_EQ(rates.at("x").won[0].trials, 3);
  EXPECT_EQ(rates.at("y").won[2].hits, 1);  // text: prompts 1 and 2
  EXPECT_EQ(rates.at("y").won[2].trials, 2);
  // Prompt 4 is left out: y did not draw it. Prompt 2 was won by the base.
  EXPECT_EQ(rates.at("x").beat[0].hits, 1);
  EXPECT_EQ(rates.at("x").beat[0].trials, 2);
  EXPECT_EQ(rates.at("y").beat[0].hits, 0);
  EXPECT_EQ(rates.at("y").beat[1].trials, 0);  // nobody is human here
}

TEST(TeacherRates, HeldOutPairsDoNotCount) {
  auto heldout = pair(1, shard::Question::select, "x", "y", shard::Verdict::a);
  heldout.split = shard::Split::heldout;
  EXPECT_TRUE(teacher_rates({sample(1, "x", "x+y", false)}, {heldout}).empty());
}

TEST(SetCounts, EveryRowIsCountedOnce) {
  using enum shard::Status;
  std::vector<Sample> set(6);
  set[0].status = member;
  set[1].status = member;
  set[1].operation = shard::Operation::expand;
  set[1].round_added = 2;
  set[2].status = waiting;
  set[3].status = removed;
  set[3].removed_why = shard::Removal::learned;
  set[4].status = refused;
  set[4].removed_why = shard::Removal::refused;
  set[5].status = heldout;
  const SetCounts counts = count_set(set, 2);
  EXPECT_EQ(counts.all_members(), 2);
  EXPECT_EQ(counts.members[1], 1);
  EXPECT_EQ(counts.waiting, 1);
  EXPECT_EQ(counts.all_removed(), 2);
  EXPECT_EQ(counts.removed[1], 1);
  EXPECT_EQ(counts.added, 1);
}

TEST(JudgeFigures, BiasAgreementAndUnreadableAnswers) {
  std::vector<Pair> pairs(3);
  pairs[0].p_ab = 0.9F;
  pairs[0].p_ba = 0.2F;
  pairs[0].bias = 1.0F;
  pairs[0].verdict = shard::Verdict::a;
  pairs[1].p_ab = 0.9F;
  pairs[1].p_ba = 0.9F;  // the first place wins both times
  pairs[1].bias = 2.0F;
  pairs[1].verdict = shard::Verdict::tie;
  std::vector<shard::Answer> answers(3);
  answers[0].choice = shard::Choice::first;
  answers[2].question = shard::Question::expand;
  const auto figures = judge_figures({run::Stage::judge, 1}, pairs, answers);
  EXPECT_EQ(figures.pairs, 3);
  EXPECT_EQ(figures.ties, 1);
  EXPECT_EQ(figures.unjudgeable, 1);
  EXPECT_DOUBLE_EQ(figures.mean_bias, 1.5);
  EXPECT_DOUBLE_EQ(figures.agreeing, 0.5);
  EXPECT_EQ(figures.answers, 3);
  EXPECT_EQ(figures.unparsed, 1);
}

}  // namespace
}  // namespace evd::report
