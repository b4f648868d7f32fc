#include "judge/decide.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "judge/world.hpp"
#include "shard/table.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Operation;
using shard::Removal;
using shard::Sample;
using shard::Status;

std::string digest(const Decision& decision) {
  return shard::content_digest<Sample>(decision.set).hex() +
         shard::content_digest<shard::Pair>(decision.pairs).hex() +
         shard::content_digest<shard::Answer>(decision.answers).hex() +
         shard::content_digest<shard::Metric>(decision.metrics).hex();
}

// What must hold after every round, whatever happened in it.
void expect_sound(const State& before, const Decision& after, const Rules& used) {
  std::unordered_map<SampleId, const Sample*> rows;
  std::set<std::string> prompts;
  std::int64_t in_set = 0;
  for (const auto& sample : after.set) {
    EXPECT_TRUE(rows.emplace(sample.id, &sample).second) << "twice: " << sample.id.hex();
    EXPECT_TRUE(prompts.insert(folded_case(sample.prompt)).second) << sample.prompt;
    if (sample.status == Status::member || sample.status == Status::waiting) ++in_set;
    EXPECT_EQ(sample.removed_why == Removal::none, sample.round_removed == -1);
    if (sample.status == Status::member) {
      EXPECT_FALSE(sample.target_image.is_none()) << sample.prompt;
    }
  }
  std::int64_t were_in_set = 0;
  for (const auto& sample : before.set) {
    EXPECT_TRUE(rows.contains(sample.id)) << "lost: " << sample.prompt;
    if (sample.status == Status::member || sample.status == Status::waiting) ++were_in_set;
  }
  EXPECT_LE(in_set, std::max(were_in_set, used.cap.max_samples));
  for (const auto& sample : after.set) {
    if (sample.round_added != used.round) continue;
    EXPECT_EQ(sample.status, Status::waiting);
    const auto parent = rows.find(sample.parent);
    ASSERT_NE(parent, rows.end());
    EXPECT_EQ(sample.generation, parent->second->generation + 1);
    EXPECT_EQ(sample.root, parent->second->root);
    EXPECT_EQ(sample.operation == Operation::mutate, parent->second->status == Status::removed);
  }
  EXPECT_EQ(after.tallies.at("members"), count(after, Status::member));
  EXPECT_EQ(after.tallies.at("waiting"), count(after, Status::waiting));
  EXPECT_EQ(after.tallies.at("asked"),
            after.tallies.at("judged") + after.tallies.at("unjudgeable"));
}

TEST(Decide, NothingIsLostAndTheCapHolds) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const State state = world(seed, {.members = 40,
                                     .waiting = 30,
                                     .heldout = 10,
                                     .teachers = 3,
                                     .render_share = 0.1 * static_cast<double>(seed % 11)});
    Rules used = rules(3);
    used.round = 50;
    used.judge.expansions = 1 + static_cast<int>(seed % 6);
    used.judge.mutation_probability = 0.5;
    used.cap.max_samples = 50 + 7 * static_cast<int>(seed % 9);
    used.cap.policy = seed % 2 == 0 ? run::CapPolicy::stop : run::CapPolicy::displace;
    used.judge.on_tie = seed % 3 == 0 ? run::OnTie::remove : run::OnTie::keep;
    FakeVlm vlm;
    vlm.unreadable = seed % 5 == 0 ? 0.3 : 0.0;
    expect_sound(state, decided(state, used, vlm), used);
  }
}

TEST(Decide, FromTheSameAnswersTheSameResult) {
  const State state = world(1, {.members = 60, .waiting = 40, .heldout = 5, .teachers = 4});
  const Rules used = rules(4);
  FakeVlm vlm;
  vlm.unreadable = 0.2;
  const auto first = decided(state, used, vlm);
  const Plan plan = make_plan(state, used);
  const auto again = decide(state, used, plan, vlm.recorded());
  EXPECT_EQ(digest(first), digest(again));
  EXPECT_EQ(first.tallies, again.tallies);
}

// Ranks finish items in any order; a killed and resumed run fills the book in another one.
TEST(Decide, TheOrderOfAskingDoesNotMatter) {
  const State state = world(2, {.members = 50, .waiting = 50, .teachers = 3});
  const Rules used = rules(3);
  const Plan plan = make_plan(state, used);
  FakeVlm forward;
  const auto expected = digest(decide(state, used, plan, forward.lookup()));

  FakeVlm stepwise;
  std::vector<std::size_t> order(plan.items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = (i * 37) % order.size();
  const auto recorded = stepwise.recorded();
  for (bool asking = true; asking;) {
    asking = false;
    for (const auto i : order)
      for (const auto& ask :
           follow(plan.items[i], state, plan, Leave(plan), used, recorded).missing) {
        (void)stepwise.answer(ask);
        asking = true;
      }
  }
  EXPECT_EQ(stepwise.asked.size(), forward.asked.size()) << "asks exactly what is needed";
  EXPECT_EQ(digest(decide(state, used, plan, recorded)), expected);
}

TEST(Decide, TheOrderOfPicturesInFilesDoesNotMatter) {
  State state = world(3, {.members = 30, .waiting = 30, .teachers = 3});
  const Rules used = rules(3);
  FakeVlm vlm;
  const auto expected = digest(decided(state, used, vlm));
  std::reverse(state.set.begin(), state.set.end());
  std::reverse(state.drawn.begin(), state.drawn.end());
  std::reverse(state.renders.begin(), state.renders.end());
  sort_state(state);
  EXPECT_EQ(digest(decided(state, used, vlm)), expected);
}

TEST(Decide, StatusesOfWaitingPrompts) {
  const State state = world(4, {.waiting = 300, .teachers = 2});
  FakeVlm vlm;
  const auto decision = decided(state, rules(), vlm);
  std::int64_t refused = 0;
  for (const auto& before : state.set) {
    std::vector<const Picture*> mine;
    for (const auto& drawn : state.drawn)
      if (drawn.prompt == before.id) mine.push_back(&drawn);
    const auto& after = row(decision, before.id);
    const auto all = [&](shard::Outcome outcome) {
      return !mine.empty() && std::all_of(mine.begin(), mine.end(),
                                          [&](auto* one) { return one->outcome == outcome; });
    };
    const bool any_ok = std::any_of(mine.begin(), mine.end(),
                                    [](auto* one) { return one->outcome == shard::Outcome::ok; });
    if (any_ok) {
      EXPECT_EQ(after.status, Status::member);
      EXPECT_EQ(after.cost_microusd >= 2000, true);
      EXPECT_FALSE(after.teachers_drawn.text.empty());
    } else if (all(shard::Outcome::refused)) {
      ++refused;
      EXPECT_EQ(after.status, Status::refused);
      EXPECT_EQ(after.removed_why, Removal::refused);
    } else if (mine.empty()) {
      EXPECT_EQ(after.status, Status::waiting);
    }
  }
  EXPECT_EQ(decision.tallies.at("refused"), refused);
  EXPECT_GT(decision.tallies.at("undrawn"), 0);
}

TEST(Decide, BookkeepingOfComparisons) {
  const State state = world(5, {.members = 100, .render_share = 1});
  Rules used = rules();
  used.judge.mutation_probability = 1;
  FakeVlm vlm;
  const auto decision = decided(state, used, vlm);
  const auto& tallies = decision.tallies;
  EXPECT_EQ(tallies.at("teacher_better") + tallies.at("base_better") + tallies.at("ties"), 100);
  EXPECT_EQ(tallies.at("deleted"), tallies.at("base_better"));
  EXPECT_EQ(tallies.at("mutated"), tallies.at("deleted"));
  EXPECT_EQ(tallies.at("expanded"), tallies.at("teacher_better"));
  EXPECT_EQ(tallies.at("new_prompts"), 3 * tallies.at("expanded") + tallies.at("mutated"));
  EXPECT_EQ(decision.pairs.size(), 100U);
  for (const auto& pair : decision.pairs) {
    const auto& sample = row(decision, pair.sample);
    EXPECT_EQ(sample.times_judged, 1);
    EXPECT_EQ(sample.wins + sample.ties + sample.losses, 1);
    EXPECT_FLOAT_EQ(sample.margin, pair.margin);
    EXPECT_EQ(sample.wins == 1, pair.verdict == shard::Verdict::a);
    EXPECT_EQ(sample.status == Status::removed, pair.verdict == shard::Verdict::b);
    EXPECT_FALSE(pair.checkpoint.is_none());
    EXPECT_EQ(pair.teacher_b.text, "base");
  }
  std::int64_t cost = 0;
  for (const auto& sample : decision.set) cost += sample.cost_microusd;
  EXPECT_EQ(cost, decision.cost_microusd);
  EXPECT_EQ(decision.cost_microusd, 10 * std::ssize(decision.answers));
}

// The cap acts before anything is bought, answers of the VLM included.
TEST(Decide, ACapThatBindsBuysNoMoreThanItHasRoomFor) {
  const State state = world(12, {.members = 60, .render_share = 1});
  Rules used = rules();
  used.judge.mutate = false;
  for (const std::int64_t cap : {0, 30, 60, 63, 70, 200, 1000}) {
    used.cap.max_samples = cap;
    FakeVlm vlm;
    const auto decision = decided(state, used, vlm);
    const auto written = std::count(vlm.asked.begin(), vlm.asked.end(), shard::Question::expand);
    const auto room = std::max<std::int64_t>(0, cap - 60 + decision.tallies.at("deleted"));
    const auto wanting = decision.tallies.at("teacher_better");
    EXPECT_EQ(written, std::min<std::int64_t>(wanting, (room + 2) / 3)) << cap;
    EXPECT_EQ(decision.tallies.at("new_prompts"), std::min<std::int64_t>(3 * wanting, room));
    EXPECT_EQ(decision.tallies.at("rationed"), wanting - written);
  }
}

TEST(Decide, UnjudgeablePairsAreKeptAndCounted) {
  const State state = world(6, {.members = 20, .render_share = 1});
  FakeVlm vlm;
  vlm.unreadable = 1;
  const auto decision = decided(state, rules(), vlm);
  EXPECT_EQ(decision.tallies.at("unjudgeable"), 20);
  EXPECT_EQ(count(decision, Status::member), 20);
  EXPECT_EQ(decision.counts.failed, 20);
  for (const auto& sample : decision.set) EXPECT_EQ(sample.times_judged, 0);
}

TEST(Decide, OpenItemsStayAsTheyWere) {
  const State state = world(7, {.members = 20, .waiting = 20, .teachers = 2, .render_share = 1});
  const Rules used = rules();
  const Plan plan = make_plan(state, used);
  const Lookup nothing = [](const Ask&) -> const shard::Answer* { return nullptr; };
  const auto decision = decide(state, used, plan, nothing);
  EXPECT_GT(decision.counts.open, 20);
  for (const auto& item : plan.items) {
    if (!may_ask(item, Leave(plan), used)) continue;
    EXPECT_EQ(row(decision, state.set[item.sample].id).status, state.set[item.sample].status);
  }
  EXPECT_TRUE(decision.answers.empty());
}

TEST(Decide, TheStartSetOfImportedPicturesNeedsNoVlm) {
  State state = world(8, {.waiting = 50, .teachers = 1});
  for (auto& drawn : state.drawn) {
    drawn.outcome = shard::Outcome::ok;
    drawn.teacher = "imported";
    drawn.cost_microusd = 0;
  }
  Rules used = rules();
  used.round = 0;
  FakeVlm vlm;
  const auto decision = decided(state, used, vlm);
  EXPECT_TRUE(vlm.asked.empty());
  EXPECT_EQ(count(decision, Status::member), std::ssize(state.drawn));
  EXPECT_TRUE(decision.pairs.empty());
  EXPECT_EQ(decision.cost_microusd, 0);
}

TEST(RequireJudged, RefusesTooManyWithoutAVerdict) {
  EXPECT_NO_THROW(require_judged({.done = 95, .failed = 5}, 0.05, false, 0));
  EXPECT_THROW(require_judged({.done = 94, .failed = 6}, 0.05, false, 0), ServiceError);
  EXPECT_THROW(require_judged({.done = 94, .open = 6}, 0.05, false, 0), ServiceError);
  EXPECT_NO_THROW(require_judged({.done = 94, .open = 6}, 0.05, true, 0));
  EXPECT_NO_THROW(require_judged({.done = 94, .open = 6}, 0.05, false, 6));
  EXPECT_NO_THROW(require_judged({}, 0, false, 0));
  try {
    require_judged({.done = 1, .failed = 2, .open = 3}, 0.05, false, 0, "vlm: http_500");
    ADD_FAILURE();
  } catch (const ServiceError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("5 of 6"), std::string::npos) << what;
    EXPECT_NE(what.find("vlm: http_500"), std::string::npos) << what;
    EXPECT_NE(what.find("--accept-partial"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace evd::judge
