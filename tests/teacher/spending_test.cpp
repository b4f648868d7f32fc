#include "teacher/spending.hpp"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "teacher/exchange.hpp"
#include "teacher/journal.hpp"
#include "teacher/journal_writer.hpp"
#include "teacher/segment.hpp"

namespace evd::teacher {
namespace {

using test::Exchange;

// One attempt of another job: announced at 40,000, then perhaps ended at 30,000 micro-dollars.
class Other {
 public:
  explicit Other(const std::filesystem::path& calls, const std::string& job = "other-1")
      : writer_(calls, job, 0, [] {}) {}

  void announce(const std::string& name, const std::string& line = "main") {
    append(encode(Intent{.key = Exchange::key(name),
                         .service = "aurora",
                         .stage = "score",
                         .attempt = 0,
                         .job = "other-1",
                         .budget_line = line,
                         .max_cost_microusd = 40'000}));
  }
  void answer(const std::string& name) {
    const End end{.key = Exchange::key(name),
                  .attempt = 0,
                  .status = 200,
                  .outcome = shard::Outcome::ok,
                  .charge = Charge::paid,
                  .cost_microusd = 30'000};
    append(encode(end, Reply{.key = end.key}));
  }
  std::string file() { return writer_.files().at(0); }

 private:
  void append(const std::string& record) {
    const auto number = writer_.append("aurora", record);
    while (writer_.progress().through < number) std::this_thread::yield();
  }
  JournalWriter writer_;
};

TEST(Spending, CountsWhatOthersSpendFromNowOn) {
  const evd::test::TempDir calls;
  Other other(calls.path());
  other.announce("a");
  Spending spending(Journals(calls.path()), "mine-1", {"main", "heldout"}, Log("test", 0));
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), 0);

  other.announce("b");
  other.announce("c", "heldout");
  Other later(calls.path(), "later-1");
  later.announce("d");
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), 2 * 40'000);
  EXPECT_EQ(spending.since_start_microusd(1), 40'000);

  // Also what was under way at the start becomes cheaper.
  for (const char* name : {"a", "b", "c"}) other.answer(name);
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), -10'000 + 30'000 + 40'000);
  EXPECT_EQ(spending.since_start_microusd(1), 30'000);
}

// A job that spends while this one plans: neither lost nor counted twice.
TEST(Spending, WhatASegmentGrowsByBetweenItsReadingAndTheStartCounts) {
  const evd::test::TempDir calls;
  Other other(calls.path());
  other.announce("a");
  const Journals known(calls.path());
  other.announce("b");
  other.answer("a");
  Other later(calls.path(), "later-1");
  later.announce("c");
  Spending spending(known, "mine-1", {"main"}, Log("test", 0));
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), -10'000 + 40'000 + 40'000);
}

// What was read once is not read again: here it cannot be, and still counts.
TEST(Spending, BeginsWithWhatTheJournalsHaveRead) {
  const evd::test::TempDir calls;
  Other other(calls.path());
  other.announce("a");
  const Journals known(calls.path());
  std::filesystem::remove(other.file());
  Spending spending(known, "mine-1", {"main"}, Log("test", 0));
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), 0);
}

TEST(Spending, OnesOwnSegmentsDoNotCount) {
  const evd::test::TempDir calls;
  Spending spending(Journals(calls.path()), "host-7-0", {"main"}, Log("test", 0));
  int number = 0;
  for (const char* job : {"host-7-0", "host-7-0-2"}) {
    Other own(calls.path(), job);
    own.announce(std::to_string(number++));
  }
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), 0);
  Other other(calls.path(), "host-7-0b");
  other.announce("x");
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), 40'000);
}

TEST(Spending, ASegmentThatGoesStillCounts) {
  const evd::test::TempDir calls;
  Spending spending(Journals(calls.path()), "mine-1", {"main"}, Log("test", 0));
  {
    Other other(calls.path());
    other.announce("a");
    spending.look();
    std::filesystem::remove(other.file());
  }
  spending.look();
  EXPECT_EQ(spending.since_start_microusd(0), 40'000);
}

TEST(Spending, LooksByItself) {
  const evd::test::TempDir calls;
  Spending spending(Journals(calls.path()), "mine-1", {"main"}, Log("test", 0));
  Other other(calls.path());
  other.announce("a");
  for (const double until_s = monotonic_s() + 60; spending.since_start_microusd(0) != 40'000;) {
    ASSERT_LT(monotonic_s(), until_s);
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace evd::teacher
