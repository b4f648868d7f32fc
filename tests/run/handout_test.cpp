#include "run/handout.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "run/drain.hpp"
#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

using mpi::Communicator;
using mpi::Reduce;

teacher::ServiceOptions service(const std::string& name, int in_flight, double per_minute = 0) {
  teacher::ServiceOptions options;
  options.name = name;
  options.max_in_flight = in_flight;
  options.requests_per_minute = per_minute;
  return options;
}

Handout::Setup setup(std::int64_t items) {
  return {.items = items,
          .services = {service("a", 4)},
          .budget_microusd = {1'000'000},
          .budget_of = {0}};
}

constexpr double kLimit_s = 60;

TEST(Handout, EachItemGoesToExactlyOneRank) {
  auto world = Communicator::world();
  for (const std::int64_t items : {0, 1, 7, 1000}) {
    Handout handout(setup(items), world);
    std::vector<double> taken(static_cast<std::size_t>(items) + 1);
    for (const double until_s = monotonic_s() + kLimit_s; !handout.complete();) {
      handout.step();
      for (std::int64_t item = 0; (item = handout.next()) >= 0;) {
        taken[static_cast<std::size_t>(item)] += 1;
        handout.finished(item);
      }
      ASSERT_LT(monotonic_s(), until_s) << "never complete";
    }
    EXPECT_EQ(handout.next(), -2);
    world.all_reduce(taken, mpi::Reduce::sum);
    for (std::size_t i = 0; i + 1 < taken.size(); ++i) EXPECT_EQ(taken[i], 1) << i;
    EXPECT_EQ(taken.back(), 0);
    if (world.rank() == 0) {
      EXPECT_EQ(handout.finished_count(), items);
    }
  }
}

/// Asks for a permit for each item, holds it for some steps, and counts.
struct Worker {
  Handout& handout;
  int services = 1;
  std::int64_t cost = 0;
  std::int64_t paid = 0;
  std::int64_t granted = 0;
  std::int64_t refused = 0;
  std::map<int, std::vector<int>> holding = {};  // steps left of each permit, by service

  void run() {
    for (const double until_s = monotonic_s() + kLimit_s; !handout.complete();) {
      handout.step();
      for (std::int64_t item = 0; (item = handout.next()) >= 0;) {
        const int which = static_cast<int>(item % services);
        handout.ask(which, cost, [this, which, item](bool yes) {
          (yes ? granted : refused) += 1;
          if (yes) holding[which].push_back(5);
          handout.finished(item);
        });
      }
      release();
      ASSERT_LT(monotonic_s(), until_s) << "never complete";
    }
    while (std::any_of(holding.begin(), holding.end(),
                       [](const auto& one) { return !one.second.empty(); })) {
      handout.step();
      release();
    }
  }

  void release() {
    for (auto& [which, permits] : holding)
      for (auto left = permits.begin(); left != permits.end();) {
        if (--*left > 0) {
          ++left;
          continue;
        }
        handout.done(which, cost, paid, false);
        left = permits.erase(left);
      }
  }
};

TEST(Handout, MoneyIsReservedOverAllRanks) {
  auto world = Communicator::world();
  auto given = setup(200);
  given.budget_microusd = {50 * 1000 + 999};
  Handout handout(given, world);
  Worker worker{.handout = handout, .cost = 1000, .paid = 1000};
  worker.run();
  EXPECT_EQ(world.all_reduce(worker.granted, Reduce::sum), 50);
  EXPECT_EQ(world.all_reduce(worker.refused, Reduce::sum), 150);
  EXPECT_GT(world.all_reduce(std::int64_t{handout.budget_spent()}, Reduce::max), 0);
}

TEST(Handout, WhatTurnsOutCheaperIsGivenToOthers) {
  auto world = Communicator::world();
  auto given = setup(100);
  given.budget_microusd = {10'000};
  Handout handout(given, world);
  Worker worker{.handout = handout, .cost = 1000, .paid = 0};  // refusals cost nothing
  worker.run();
  EXPECT_EQ(world.all_reduce(worker.granted, Reduce::sum), 100);
  EXPECT_FALSE(handout.budget_spent());
}

TEST(Handout, WhatOtherJobsSpendIsNotThereToSpend) {
  auto world = Communicator::world();
  auto given = setup(200);
  given.budget_microusd = {50 * 1000 + 999};
  // Another job spends 30 while this one runs.
  given.spent_elsewhere = [asked = 0](int line) mutable {
    EXPECT_EQ(line, 0);
    return asked++ < 3 ? 0 : 30'000;
  };
  Handout handout(given, world);
  Worker worker{.handout = handout, .cost = 1000, .paid = 1000};
  worker.run();
  const auto granted = world.all_reduce(worker.granted, Reduce::sum);
  EXPECT_EQ(granted, 20);
  EXPECT_EQ(world.all_reduce(worker.refused, Reduce::sum), 200 - granted);
}

TEST(Handout, RankZeroKnowsWhatAllRanksPaid) {
  auto world = Communicator::world();
  Handout handout(setup(100), world);
  Worker worker{.handout = handout, .cost = 1000, .paid = 700};
  worker.run();
  for (const double until_s = monotonic_s() + kLimit_s;
       world.rank() == 0 && handout.paid_microusd() < 100 * 700;) {
    handout.step();
    ASSERT_LT(monotonic_s(), until_s) << handout.paid_microusd();
  }
  if (world.rank() == 0) {
    EXPECT_EQ(handout.paid_microusd(), 100 * 700);
  }
}

TEST(Drain, StopsTheCallerAndWaitsOnlySoLong) {
  auto world = Communicator::world();
  Handout handout(setup(1'000'000), world);
  const test::TempDir calls;
  const Log log("test", world.rank());
  teacher::Caller caller({.journal_directory = calls.path().string(), .job = "j"}, handout, log);
  Drain patient(handout, caller, log, 1000);
  Drain hasty(handout, caller, log, 0);
  EXPECT_FALSE(patient.over());
  EXPECT_FALSE(patient.begun());
  if (world.rank() == world.size() - 1) handout.stop();
  for (const double until_s = monotonic_s() + kLimit_s; !hasty.over();) {
    handout.step();
    ASSERT_LT(monotonic_s(), until_s) << "never over";
  }
  EXPECT_TRUE(hasty.begun());
  EXPECT_FALSE(patient.over());
  EXPECT_TRUE(patient.begun());
  while (!handout.complete()) handout.step();
}

TEST(Handout, BudgetLinesAreApart) {
  auto world = Communicator::world();
  Handout::Setup given{.items = 80,
                       .services = {service("a", 4), service("a", 4)},
                       .budget_microusd = {10'000, 1'000'000},
                       .budget_of = {0, 1}};
  Handout handout(given, world);
  Worker worker{.handout = handout, .services = 2, .cost = 1000, .paid = 1000};
  worker.run();
  EXPECT_EQ(world.all_reduce(worker.granted, Reduce::sum), 10 + 40);
  EXPECT_EQ(world.all_reduce(worker.refused, Reduce::sum), 30);
}

TEST(Handout, InFlightIsLimitedOverAllRanksAndByName) {
  auto world = Communicator::world();
  // Each rank says how many permits it holds; the sum over ranks is compared after every round.
  Handout::Setup given{.items = 0,
                       .services = {service("a", 3), service("a", 3), service("b", 2)},
                       .budget_microusd = {1'000'000},
                       .budget_of = {0, 0, 0}};
  given.items = 1;  // keeps it open
  Handout handout(given, world);
  std::array<std::int64_t, 3> held{};
  std::int64_t waiting = 0;
  for (int which = 0; which < 3; ++which)
    for (int i = 0; i < 10; ++i, ++waiting)
      handout.ask(which, 0, [&, which](bool yes) {
        held[static_cast<std::size_t>(which)] += yes;
        --waiting;
      });
  for (int round = 0; round < 400; ++round) {
    handout.step();
    if (round % 20 != 19) continue;
    const auto a = world.all_reduce(held[0] + held[1], Reduce::sum);
    const auto b = world.all_reduce(held[2], Reduce::sum);
    ASSERT_LE(a, 3);
    ASSERT_LE(b, 2);
    for (int which = 0; which < 3; ++which)
      for (auto& count = held[static_cast<std::size_t>(which)]; count > 0; --count)
        handout.done(which, 0, 0, false);
  }
  // All ranks together: nobody leaves while others still wait for rank 0's answers.
  const double until_s = monotonic_s() + kLimit_s;
  while (world.all_reduce(waiting, Reduce::sum) > 0) {
    handout.step();
    for (int which = 0; which < 3; ++which)
      for (auto& count = held[static_cast<std::size_t>(which)]; count > 0; --count)
        handout.done(which, 0, 0, false);
    ASSERT_LT(monotonic_s(), until_s) << "a permit was never granted";
  }
  while (!handout.complete()) {
    handout.step();
    for (std::int64_t item = 0; (item = handout.next()) >= 0;) handout.finished(item);
  }
}

TEST(Handout, StopFromAnyRankEndsTheHandOut) {
  auto world = Communicator::world();
  Handout handout(setup(1'000'000), world);
  const int stopper = world.size() - 1;
  std::int64_t done = 0;
  for (const double until_s = monotonic_s() + kLimit_s; !handout.complete();) {
    handout.step();
    const std::int64_t item = handout.next();
    if (item >= 0) {
      handout.finished(item);
      ++done;
    }
    if (world.rank() == stopper && done == 20) handout.stop();
    ASSERT_LT(monotonic_s(), until_s) << "never complete";
  }
  EXPECT_TRUE(handout.stopping());
  EXPECT_EQ(handout.next(), -2);
  const auto all = world.all_reduce(done, Reduce::sum);
  EXPECT_GE(all, 20);
  EXPECT_LT(all, 1'000'000);
  if (world.rank() == 0) {
    EXPECT_EQ(handout.finished_count(), all);
  }
}

TEST(Handout, TwoInARowDoNotMixTheirMessages) {
  auto world = Communicator::world();
  for (int i = 0; i < 20; ++i) {
    Handout handout(setup(i), world);
    std::int64_t done = 0;
    while (!handout.complete()) {
      handout.step();
      for (std::int64_t item = 0; (item = handout.next()) >= 0; ++done) handout.finished(item);
    }
    EXPECT_EQ(world.all_reduce(done, Reduce::sum), i);
  }
}

}  // namespace
}  // namespace evd::run
