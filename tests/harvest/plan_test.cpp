#include "harvest/plan.hpp"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "harvest/bandit.hpp"
#include "shard/identity.hpp"

namespace evd::harvest {
namespace {

teacher::ServiceOptions teacher_named(const std::string& name, double price = 0.04) {
  teacher::ServiceOptions options;
  options.name = name;
  options.model = name + "-1";
  options.price_usd = price;
  options.min_side = 64;
  options.max_side = 2048;
  return options;
}

PlanRules rules_of(run::DrawPolicy policy, int round = 0) {
  return {.teachers = {teacher_named("alpha"), teacher_named("beta"), teacher_named("gamma")},
          .policy = policy,
          .seed = 5,
          .round = round};
}

shard::Sample sample(const std::string& prompt, shard::Status status = shard::Status::waiting) {
  shard::Sample made;
  made.prompt = prompt;
  made.status = status;
  made.width = made.height = 512;
  made.id = shard::sample_id(prompt, 512, 512);
  return made;
}

TEST(Plan, EveryTeacherInCanonicalOrder) {
  std::vector<shard::Sample> set;
  for (int i = 0; i < 20; ++i) set.push_back(sample("prompt " + std::to_string(i)));
  set.push_back(sample("a member", shard::Status::member));
  set.push_back(sample("gone", shard::Status::removed));
  const auto draws = plan(set, rules_of(run::DrawPolicy::all));
  ASSERT_EQ(draws.size(), 60U);
  std::set<RequestKey> keys;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    EXPECT_EQ(draws[i].teacher, i % 3);
    EXPECT_TRUE(keys.insert(draws[i].key).second);
    if (i > 0) {
      EXPECT_LE(set[draws[i - 1].sample].id, set[draws[i].sample].id);
    }
  }
  std::reverse(set.begin(), set.end());
  const auto again = plan(set, rules_of(run::DrawPolicy::all));
  for (std::size_t i = 0; i < draws.size(); ++i) EXPECT_EQ(again[i].key, draws[i].key);
}

TEST(Plan, HeldOutPromptsAreDrawnOnceByAll) {
  const std::vector<shard::Sample> set = {sample("h", shard::Status::heldout)};
  for (const auto policy :
       {run::DrawPolicy::all, run::DrawPolicy::winner, run::DrawPolicy::bandit}) {
    EXPECT_EQ(plan(set, rules_of(policy, 0)).size(), 3U);
    EXPECT_TRUE(plan(set, rules_of(policy, 1)).empty());
  }
}

// Bug: held-out pictures that round 0 had left open were never drawn.
TEST(Plan, LaterRoundsDrawTheHeldOutPicturesThatWereLeftOpen) {
  const std::vector<shard::Sample> set = {sample("h", shard::Status::heldout),
                                          sample("i", shard::Status::heldout)};
  for (const auto policy :
       {run::DrawPolicy::all, run::DrawPolicy::winner, run::DrawPolicy::bandit}) {
    auto rules = rules_of(policy, 3);
    rules.heldout_open = {{set[1].id, "beta"}, {set[1].id, "one that is gone"}};
    const auto draws = plan(set, rules);
    ASSERT_EQ(draws.size(), 1U);
    EXPECT_EQ(draws[0].sample, 1U);
    EXPECT_EQ(draws[0].teacher, 1U);
    EXPECT_EQ(draws[0].key, plan(set, rules_of(policy, 0))[set[0].id < set[1].id ? 4 : 1].key);
  }
}

TEST(Plan, TheRequestCountsNotTheRound) {
  const std::vector<shard::Sample> set = {sample("p")};
  EXPECT_EQ(plan(set, rules_of(run::DrawPolicy::all, 0))[0].key,
            plan(set, rules_of(run::DrawPolicy::all, 7))[0].key);
  auto fresh = rules_of(run::DrawPolicy::all);
  fresh.sample_index = 1;
  EXPECT_NE(plan(set, fresh)[0].key, plan(set, rules_of(run::DrawPolicy::all))[0].key);
  auto sent = set;
  sent[0].prompt_sent = "p, in detail";
  EXPECT_NE(plan(sent, rules_of(run::DrawPolicy::all))[0].key,
            plan(set, rules_of(run::DrawPolicy::all))[0].key);
}

TEST(Plan, WinnerGoesToTheParentsTeacher) {
  auto parent = sample("parent", shard::Status::member);
  parent.target_teacher = {"beta"};
  auto lost = sample("lost parent", shard::Status::removed);
  lost.target_teacher = {"a teacher of last year"};
  const auto child_of = [](const shard::Sample& of, shard::Operation operation) {
    auto child = sample("child of " + of.prompt + std::to_string(static_cast<int>(operation)));
    child.parent = of.id;
    child.operation = operation;
    return child;
  };
  const auto count = [&](const shard::Sample& child) {
    const auto draws = plan({parent, lost, child}, rules_of(run::DrawPolicy::winner, 2));
    return std::pair(draws.size(), draws[0].teacher);
  };
  EXPECT_EQ(count(child_of(parent, shard::Operation::expand)), std::pair(1UL, 1UL));
  EXPECT_EQ(count(child_of(parent, shard::Operation::mutate)).first, 3U) << "an unrelated prompt";
  EXPECT_EQ(count(child_of(lost, shard::Operation::expand)).first, 3U);
  EXPECT_EQ(count(sample("seed")).first, 3U);
}

TEST(Plan, BanditFollowsWhatPaysAndIsAFunctionOfItsInputs) {
  auto rules = rules_of(run::DrawPolicy::bandit, 3);
  std::vector<shard::Sample> set;
  for (int i = 0; i < 2000; ++i) set.push_back(sample("prompt " + std::to_string(i)));
  EXPECT_EQ(plan(set, rules).size(), 6000U) << "nothing known: everybody";
  // Rates 0.6, 0.5, 0.2; the second costs a quarter.
  rules.records = {{"alpha", {600, 400}}, {"beta", {500, 500}}, {"gamma", {200, 800}}};
  rules.teachers[1].price_usd = 0.01;
  const auto shares = [&] {
    std::array<int, 3> counts{};
    for (const auto& draw : plan(set, rules)) ++counts[draw.teacher];
    return counts;
  };
  EXPECT_EQ(shares(), (std::array{0, 2000, 0}));
  rules.teachers[1].price_usd = 0.04;
  rules.records = {{"alpha", {6, 4}}, {"beta", {5, 5}}, {"gamma", {2, 8}}};
  const auto few = shares();
  EXPECT_GT(few[0], few[1]);
  EXPECT_GT(few[1], few[2]);
  EXPECT_GT(few[2], 0) << "what is little known is still tried";
  EXPECT_EQ(shares(), few);
  rules.seed = 6;
  EXPECT_NE(shares(), few);
}

TEST(Bandit, BetaHasItsMeanAndVariance) {
  Random random(1, Purpose::test);
  const double a = 3.5;
  const double b = 7;
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const double x = sample_beta(a, b, random);
    ASSERT_GT(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, a / (a + b), 0.002);
  EXPECT_NEAR(squares / kCount - mean * mean, a * b / ((a + b) * (a + b) * (a + b + 1)), 0.0005);
}

TEST(Bandit, FreeTeachersArePickedByRateAlone) {
  int first = 0;
  for (std::uint64_t i = 0; i < 200; ++i)
    first += choose_arm({{900, 100, 0.5}, {100, 900, 0}}, Random(1, Purpose::test, i)) == 0;
  EXPECT_EQ(first, 200);
}

TEST(Records, CountDecidedPairsOfTheTrainingSet) {
  std::map<std::string, TeacherRecord> records;
  const auto pair = [](shard::Verdict verdict, shard::Split split = shard::Split::train) {
    shard::Pair made;
    made.teacher_a = {"alpha"};
    made.teacher_b = {"beta"};
    made.verdict = verdict;
    made.split = split;
    return made;
  };
  add_records({pair(shard::Verdict::a), pair(shard::Verdict::a), pair(shard::Verdict::b),
               pair(shard::Verdict::tie), pair(shard::Verdict::unjudgeable),
               pair(shard::Verdict::a, shard::Split::heldout)},
              records);
  EXPECT_EQ(records["alpha"].wins, 2.5);
  EXPECT_EQ(records["alpha"].losses, 1.5);
  EXPECT_EQ(records["beta"].wins, 1.5);
}

TEST(UsableSize, IsTheNearestThatTheTeacherDraws) {
  auto teacher = teacher_named("t");
  teacher.min_side = 256;
  teacher.max_side = 1536;
  EXPECT_EQ(usable_size(teacher, 512, 384), (Size{512, 384}));
  EXPECT_EQ(usable_size(teacher, 500, 300), (Size{500, 300})) << "what fits is not touched";
  EXPECT_EQ(usable_size(teacher, 32, 32), (Size{256, 256}));
  EXPECT_EQ(usable_size(teacher, 64, 32), (Size{512, 256}));
  EXPECT_EQ(usable_size(teacher, 2048, 1024), (Size{1536, 768}));
  EXPECT_EQ(usable_size(teacher, 3000, 1000), (Size{1536, 512}));
  EXPECT_EQ(usable_size(teacher, 4096, 64), (Size{1536, 256})) << "no factor fits both sides";
  for (int width = 16; width < 3000; width += 97)
    for (int height = 16; height < 3000; height += 89) {
      const Size size = usable_size(teacher, width, height);
      EXPECT_GE(std::min(size.width, size.height), 256);
      EXPECT_LE(std::max(size.width, size.height), 1536);
    }
}

}  // namespace
}  // namespace evd::harvest
