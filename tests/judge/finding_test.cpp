#include "judge/finding.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "judge/world.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Operation;
using shard::Removal;
using shard::Status;

// One rendered member; the teacher's or the base's picture is better.
struct Duel {
  State state;
  Rules used = rules();
  FakeVlm vlm;

  explicit Duel(bool teacher_better) {
    state.set.push_back(sample("a red cat", Status::member));
    auto& member = state.set[0];
    std::vector<std::string> contents;
    for (int i = 0; i < 40; ++i) contents.push_back("content " + std::to_string(i));
    std::sort(contents.begin(), contents.end(),
              [](const auto& a, const auto& b) { return quality(sha256(a)) < quality(sha256(b)); });
    const auto target =
        picture(member.id, "t0", 0, teacher_better ? contents.back() : contents.front());
    member.target_image = target.id;
    member.target_teacher = {"t0"};
    state.targets[member.id] = target;
    state.renders.push_back(
        picture(member.id, "base", 99, teacher_better ? contents.front() : contents.back()));
    used.judge.mutation_probability = 1;
  }
  Finding find() {
    const Plan plan = make_plan(state, used);
    return follow(plan.items.at(0), state, plan, Leave(plan), used, vlm.lookup());
  }
};

TEST(Follow, TeacherBetterExpandsToAnyNumber) {
  for (const int count : {1, 2, 3, 4, 5, 16}) {
    Duel duel(true);
    duel.used.judge.expansions = count;
    const auto finding = duel.find();
    EXPECT_TRUE(finding.complete);
    EXPECT_EQ(finding.removal, Removal::none);
    EXPECT_EQ(finding.wants, Operation::expand);
    EXPECT_EQ(std::ssize(finding.texts), count);
  }
}

TEST(Follow, BaseBetterDeletesAndMutates) {
  Duel duel(false);
  const auto finding = duel.find();
  EXPECT_EQ(finding.removal, Removal::learned);
  EXPECT_EQ(finding.wants, Operation::mutate);
  EXPECT_EQ(finding.texts.size(), 1U);
}

TEST(Follow, ATieIsKeptOrDeletedAsConfigured) {
  Duel duel(true);
  duel.used.judge.tie_margin = 90;
  EXPECT_EQ(duel.find().removal, Removal::none);
  EXPECT_FALSE(duel.find().wants.has_value());
  duel.used.judge.on_tie = run::OnTie::remove;
  EXPECT_EQ(duel.find().removal, Removal::tie);
  EXPECT_EQ(duel.find().wants, Operation::mutate);
}

TEST(Follow, EachOperationHasItsSwitch) {
  Duel expand(true);
  expand.used.judge.expand = false;
  EXPECT_FALSE(expand.find().wants.has_value());
  Duel remove(false);
  remove.used.judge.remove = false;
  EXPECT_EQ(remove.find().removal, Removal::none);
  EXPECT_FALSE(remove.find().wants.has_value());
  Duel mutate(false);
  mutate.used.judge.mutate = false;
  EXPECT_EQ(mutate.find().removal, Removal::learned);
  EXPECT_FALSE(mutate.find().wants.has_value());
  Duel never(false);
  never.used.judge.mutation_probability = 0;
  EXPECT_FALSE(never.find().wants.has_value());
}

TEST(Follow, FourLengthStylesAreDrawn) {
  std::vector<std::string> styles;
  for (int round = 0; round < 100; ++round) {
    Duel duel(false);
    duel.used.round = round;
    duel.vlm.instead = [&](const Ask& ask, shard::Answer&) {
      if (ask.purpose != shard::Question::mutate) return false;
      const auto text = ask.question.text();
      const auto at = text.find("\nStyle: ") + 8;
      styles.push_back(text.substr(at, text.find('\n', at) - at));
      return false;
    };
    (void)duel.find();
  }
  for (const auto* style : {"rough", "dense", "mixed", "long"})
    EXPECT_GT(std::count(styles.begin(), styles.end(), style), 10) << style;
}

TEST(Follow, NewPromptsAreValidDistinctAndNew) {
  Duel duel(true);
  duel.used.judge.expansions = 9;
  duel.state.set.push_back(sample("A Blue Dog", Status::removed));
  duel.state.set.push_back(sample("a held-out bird", Status::heldout));
  sort_state(duel.state);
  duel.vlm.instead = [](const Ask& ask, shard::Answer& answer) {
    if (ask.purpose != shard::Question::expand) return false;
    answer.text =
        R"({"descriptions":["a RED  cat","a blue dog","A held-out bird","x","  ","a green frog",
            "A green   FROG","bell \u0007 ring","a yellow hen"]})";
    return true;
  };
  const auto finding = duel.find();
  EXPECT_EQ(finding.texts, (std::vector<std::string>{"a green frog", "a yellow hen"}));
  EXPECT_EQ(finding.dropped.at(vlm::Drop::repeats), 4);
  EXPECT_EQ(finding.dropped.at(vlm::Drop::too_short), 1);
  EXPECT_EQ(finding.dropped.at(vlm::Drop::blank), 1);
  EXPECT_EQ(finding.dropped.at(vlm::Drop::control_character), 1);
}

TEST(Follow, AnAnswerWithoutANewPromptIsAskedForAgain) {
  Duel duel(true);
  int asked = 0;
  duel.vlm.instead = [&](const Ask& ask, shard::Answer& answer) {
    if (ask.purpose != shard::Question::expand) return false;
    ++asked;
    answer.text = R"({"descriptions":["a red cat"]})";
    return true;
  };
  const auto finding = duel.find();
  EXPECT_EQ(asked, duel.used.judge.max_asks);
  EXPECT_EQ(finding.written, Standing::unusable);
  EXPECT_TRUE(finding.texts.empty());
  EXPECT_TRUE(finding.complete);
}

// A member that is expanded again is not asked the same question: it would get the same answer.
TEST(Follow, ExistingVariationsAreNamed) {
  Duel duel(true);
  (void)duel.find();
  const auto first = duel.vlm.asked.size();
  auto child = sample("a pink cat", Status::member);
  child.operation = Operation::expand;
  child.parent = duel.state.set[0].id;
  duel.state.set.push_back(child);
  sort_state(duel.state);
  std::string text;
  duel.vlm.instead = [&](const Ask& ask, shard::Answer&) {
    if (ask.purpose == shard::Question::expand) text = ask.question.text();
    return false;
  };
  const Plan plan = make_plan(duel.state, duel.used);
  ASSERT_EQ(plan.items.size(), 1U);
  (void)follow(plan.items[0], duel.state, plan, Leave(plan), duel.used, duel.vlm.lookup());
  EXPECT_GT(duel.vlm.asked.size(), first);
  EXPECT_NE(text.find("\n- a pink cat"), std::string::npos);
}

TEST(Follow, AsksOnlyWhatIsMissingStepByStep) {
  Duel duel(true);
  const Plan plan = make_plan(duel.state, duel.used);
  const auto recorded = duel.vlm.recorded();
  std::vector<std::size_t> steps;
  for (int step = 0; step < 5; ++step) {
    const auto finding = follow(plan.items[0], duel.state, plan, Leave(plan), duel.used, recorded);
    steps.push_back(finding.missing.size());
    if (finding.missing.empty()) break;
    for (const auto& ask : finding.missing) (void)duel.vlm.answer(ask);
  }
  EXPECT_EQ(steps, (std::vector<std::size_t>{2, 1, 0}));
}

TEST(Follow, WhatTheServiceLeavesOpenIsNotDecided) {
  Duel duel(true);
  duel.vlm.instead = [](const Ask&, shard::Answer& answer) {
    answer.outcome = shard::Outcome::open;
    return true;
  };
  const auto finding = duel.find();
  EXPECT_FALSE(finding.decided);
  EXPECT_FALSE(finding.complete);
}

}  // namespace
}  // namespace evd::judge
