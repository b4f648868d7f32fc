#include <gtest/gtest.h>

#include "report_figures.hpp"

namespace evd::report {
namespace {

using shard::Pair;
using shard::Sample;

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

TEST(JudgeFigures, AgreementAndUnreadableAnswers) {
  std::vector<Pair> pairs(3);
  pairs[0].p_ab = 0.9F;
  pairs[0].p_ba = 0.2F;
  pairs[0].verdict = shard::Verdict::a;
  pairs[1].p_ab = 0.9F;
  pairs[1].p_ba = 0.9F;  // the first place wins both times
  pairs[1].verdict = shard::Verdict::tie;
  std::vector<shard::Answer> answers(3);
  answers[0].choice = shard::Choice::first;
  answers[2].question = shard::Question::expand;
  const auto figures = judge_figures({run::Stage::judge, 1}, pairs, answers);
  EXPECT_EQ(figures.pairs, 3);
  EXPECT_EQ(figures.ties, 1);
  EXPECT_EQ(figures.unjudgeable, 1);
  EXPECT_DOUBLE_EQ(figures.agreeing, 0.5);
  EXPECT_EQ(figures.answers, 3);
  EXPECT_EQ(figures.unparsed, 1);
}

}  // namespace
}  // namespace evd::report
