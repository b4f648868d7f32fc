#include "judge/plan.hpp"

#include <gtest/gtest.h>

#include "judge/world.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Outcome;
using shard::Removal;
using shard::Status;

// One waiting prompt whose teachers had these outcomes.
Plan plan_for(const std::vector<Outcome>& outcomes, int min_teachers = 1) {
  static State state;
  state = {};
  state.set.push_back(sample("a red cat", Status::waiting));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    state.drawn.push_back(picture(state.set[0].id, "t" + std::to_string(i), static_cast<int>(i),
                                  "content " + std::to_string(i)));
    state.drawn.back().outcome = outcomes[i];
  }
  sort_state(state);
  Rules used = rules(static_cast<int>(outcomes.size()));
  used.min_teachers = min_teachers;
  return make_plan(state, used);
}

TEST(Plan, WaitingPromptsBecomeItemsOrSayWhyNot) {
  const auto ok = Outcome::ok;
  const auto refused = Outcome::refused;
  const auto failed = Outcome::failed;
  const auto open = Outcome::open;
  EXPECT_EQ(plan_for({ok, ok}).items.at(0).contestants.size(), 2U);
  EXPECT_EQ(plan_for({ok, refused}).items.at(0).contestants.size(), 1U);
  EXPECT_EQ(plan_for({ok, refused}).items.at(0).drawn, 2U);
  EXPECT_EQ(plan_for({ok, open}, 1).items.size(), 1U);
  EXPECT_EQ(plan_for({ok, open}, 2).pictureless.at(0).why, Removal::none);
  EXPECT_EQ(plan_for({ok, failed}, 2).items.size(), 1U);  // no more will come
  EXPECT_EQ(plan_for({refused, refused}).pictureless.at(0).why, Removal::refused);
  EXPECT_EQ(plan_for({refused, failed}).pictureless.at(0).why, Removal::failed);
  EXPECT_EQ(plan_for({refused, open}).pictureless.at(0).why, Removal::none);
  EXPECT_EQ(plan_for({}).pictureless.at(0).why, Removal::none);
  EXPECT_FALSE(plan_for({}).pictureless.at(0).drawn);
}

TEST(Plan, PassesOverRendersOfOtherTargetsAndOfNoMembers) {
  State state = world(1, {.members = 40, .render_share = 1});
  const auto all = make_plan(state, rules());
  ASSERT_EQ(all.items.size(), 40U);
  EXPECT_EQ(all.tallies.at("passed_over"), 0);

  state.set[0].status = Status::removed;
  state.set[1].status = Status::displaced;
  state.renders.push_back(picture(sample("unknown", Status::member).id, "base", 99, "x"));
  state.renders[4].outcome = Outcome::failed;
  state.rendered_against.emplace();
  for (const auto& member : state.set) (*state.rendered_against)[member.id] = member.target_image;
  (*state.rendered_against)[state.set[2].id] = ImageId(state.set[3].target_image);
  state.rendered_against->erase(state.set[3].id);
  const auto left = state.renders[4].prompt;
  sort_state(state);
  const auto plan = make_plan(state, rules());
  EXPECT_EQ(plan.tallies.at("renders"), 41);
  EXPECT_EQ(plan.tallies.at("failed_renders"), 1);
  const bool hit_twice = left == state.set[0].id || left == state.set[1].id ||
                         left == state.set[2].id || left == state.set[3].id;
  EXPECT_EQ(plan.tallies.at("passed_over"), hit_twice ? 4 : 5);
  EXPECT_EQ(std::ssize(plan.items), 41 - 1 - plan.tallies.at("passed_over"));
}

TEST(Plan, DiscriminationCanBeSwitchedOff) {
  const State state = world(1, {.members = 10, .waiting = 10, .render_share = 1});
  Rules used = rules();
  used.judge.discriminate = false;
  for (const auto& item : make_plan(state, used).items) EXPECT_EQ(item.kind, Item::Kind::select);
}

TEST(Plan, TheCapRationsOrStopsTheWriting) {
  const State state = world(1, {.members = 20, .render_share = 0.5});
  const auto renders = std::ssize(state.renders);
  Rules used = rules();
  const auto writing = [&](std::int64_t cap) {
    used.cap.max_samples = cap;
    return make_plan(state, used).writing;
  };
  EXPECT_EQ(writing(20 + 3 * renders), Writing::free);
  EXPECT_EQ(writing(20 + 3 * renders - 1), Writing::rationed);
  EXPECT_EQ(writing(21 - renders), Writing::rationed);
  EXPECT_EQ(writing(20 - renders), Writing::none);
  used.judge.remove = false;
  EXPECT_EQ(writing(20), Writing::none);
  used.cap.policy = run::CapPolicy::displace;
  EXPECT_EQ(writing(1), Writing::free);
}

TEST(Plan, KnowsEverythingTheSetHadAndTheHeldOut) {
  State state = world(1, {.members = 5, .waiting = 5, .heldout = 5});
  state.set[0].status = Status::removed;
  const auto plan = make_plan(state, rules());
  for (const auto& one : state.set) EXPECT_TRUE(plan.known.contains(one.prompt));
}

}  // namespace
}  // namespace evd::judge
