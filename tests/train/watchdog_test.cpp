// The watchdog's parts, and the watchdog itself among ranks that are threads.
#include "train/watchdog.hpp"

#include <atomic>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "support/temp_dir.hpp"

namespace evd::train {
namespace {

using Records = std::vector<std::optional<BoardRecord>>;

TEST(Board, ARecordIsALineOf64BytesAndComesBack) {
  const BoardRecord record{3, 511, 123'456, Operation::extraction, 9'876, 42, 1'764'177'780'123};
  const std::string line = to_line(record);
  EXPECT_EQ(line.size(), Board::kRecordBytes);
  EXPECT_EQ(line, "00003 00511 0000123456 extraction 0000009876 0042 1764177780123\n");
  const auto back = parse_record(line);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_line(*back), line);
  EXPECT_EQ(to_line({1, 1, 10'000'000'007, Operation::data, 1, 10'001, 1}).size(), 64U);
  EXPECT_FALSE(parse_record(std::string(64, ' ')));
  EXPECT_FALSE(parse_record(std::string(64, '\0')));
  EXPECT_FALSE(parse_record(line.substr(1)));
  EXPECT_FALSE(parse_record(std::string(line).replace(23, 4, "sing")));
}

TEST(Board, RanksHavePlacesOfTheirOwnAndOtherLivesAreNotHeard) {
  const test::TempDir folder;
  const Board board(folder / "board");
  board.write({2, 1, 7, Operation::reduce, 5, 1, 1000});
  board.write({2, 3, 8, Operation::data, 6, 1, 1000});
  board.write({1, 2, 9, Operation::data, 6, 1, 1000});
  const auto records = Board(folder / "board").read(5, 2);
  ASSERT_EQ(records.size(), 5U);
  EXPECT_FALSE(records[0]);
  ASSERT_TRUE(records[1]);
  EXPECT_EQ(records[1]->step, 7);
  EXPECT_FALSE(records[2]);
  ASSERT_TRUE(records[3]);
  EXPECT_EQ(records[3]->operation, Operation::data);
  EXPECT_FALSE(records[4]);
}

TEST(HangLimits, AreTheFloorOrTenTimesTheUsual) {
  HangLimits limits(60, 600);
  EXPECT_DOUBLE_EQ(limits.limit_s(Operation::reduce), 60);
  EXPECT_DOUBLE_EQ(limits.limit_s(Operation::load), 600);
  const auto step = [&](double scale) {
    limits.took(Operation::data, 1 * scale);
    limits.took(Operation::forward, 3 * scale);
    limits.took(Operation::backward, 5 * scale);
    limits.took(Operation::reduce, 1 * scale);
    limits.took(Operation::checkpoint, 100 * scale);
  };
  step(1);
  step(1);
  EXPECT_DOUBLE_EQ(limits.limit_s(Operation::forward), 100);
  EXPECT_DOUBLE_EQ(limits.limit_s(Operation::checkpoint), 1000);
  EXPECT_DOUBLE_EQ(limits.limit_s(Operation::validation), 600);
  for (int i = 0; i < 2000; ++i) step(2);
  EXPECT_NEAR(limits.limit_s(Operation::forward), 200, 1);
}

BoardRecord record(int rank, std::int64_t step, Operation operation, int beat,
                   std::int64_t since_ms) {
  return {1, rank, step, operation, 10, beat, since_ms};
}

TEST(Hang, NamesWhoStandsStillAndWhoLags) {
  const HangLimits limits(60, 600);
  constexpr std::int64_t kNow = 1'000'000;
  const Records before = {record(0, 5, Operation::reduce, 10, kNow - 70'000),
                          record(1, 5, Operation::data, 10, kNow - 71'000),
                          record(2, 5, Operation::forward, 10, kNow - 71'000), std::nullopt};
  Records now = {record(0, 5, Operation::reduce, 13, kNow - 70'000), before[1],
                 record(2, 5, Operation::forward, 13, kNow - 71'000), std::nullopt};
  const auto hang = judge_hang(before, now, limits, kNow);
  EXPECT_FALSE(hang.is_worth_waiting);
  ASSERT_EQ(hang.lines.size(), 3U);
  EXPECT_EQ(hang.lines[0],
            "rank 1 does not move, its process or node is stopped or gone: step 5, data since 1 "
            "min 11 s");
  EXPECT_EQ(hang.lines[1], "rank 2 lags: step 5, forward since 1 min 11 s");
  EXPECT_EQ(hang.lines[2], "rank 3 has told nothing in this life");
}

TEST(Hang, ARankThatWritesACheckpointIsWaitedFor) {
  const HangLimits limits(60, 600);
  constexpr std::int64_t kNow = 10'000'000;
  const auto look = [&](std::int64_t since_ms) {
    const Records before = {record(0, 5, Operation::checkpoint, 10, since_ms),
                            record(1, 6, Operation::reduce, 10, kNow - 70'000)};
    const Records now = {record(0, 5, Operation::checkpoint, 13, since_ms),
                         record(1, 6, Operation::reduce, 13, kNow - 70'000)};
    return judge_hang(before, now, limits, kNow).is_worth_waiting;
  };
  EXPECT_TRUE(look(kNow - 500'000));
  EXPECT_FALSE(look(kNow - 700'000));
}

TEST(Hang, AllInOneOperationSaysSo) {
  const Records before = {record(0, 5, Operation::reduce, 1, 0),
                          record(1, 5, Operation::reduce, 1, 0)};
  const Records now = {record(0, 5, Operation::reduce, 4, 0),
                       record(1, 5, Operation::reduce, 4, 0)};
  const auto hang = judge_hang(before, now, HangLimits(60, 600), 70'000);
  EXPECT_FALSE(hang.is_worth_waiting);
  ASSERT_EQ(hang.lines.size(), 1U);
  EXPECT_EQ(hang.lines[0], "no rank lags: all wait in the same operation");
}

TEST(Hang, ManyRanksAreCounted) {
  Records now(100);
  EXPECT_EQ(judge_hang(now, now, HangLimits(60, 600), 0).lines.back(), "and 84 more ranks");
}

/// Ranks of one job as watchdogs of one process.
struct Job {
  explicit Job(int ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      left.push_back(std::make_unique<std::atomic<bool>>(false));
      dogs.push_back(std::make_unique<Watchdog>(
          Watchdog::Setup{folder.path(), 1, rank, ranks, HangLimits(0.5, 30), 0.05,
                          [flag = left.back().get()] { *flag = true; }},
          log));
    }
  }
  [[nodiscard]] bool left_within(int rank, double seconds) const {
    const double begun_s = monotonic_s();
    while (!*left[static_cast<std::size_t>(rank)]) {
      if (monotonic_s() - begun_s > seconds) return false;
      std::this_thread::yield();
    }
    return true;
  }
  test::TempDir folder;
  Log log{"train", 0};
  std::vector<std::unique_ptr<std::atomic<bool>>> left;
  std::vector<std::unique_ptr<Watchdog>> dogs;
};

TEST(Watchdog, ARankThatStandsStillEndsTheJobWithItsNumber) {
  testing::internal::CaptureStderr();
  Job job(3);
  for (auto& dog : job.dogs) dog->enter(Operation::data, 4);
  job.dogs[0]->enter(Operation::reduce, 4);
  job.dogs[2]->enter(Operation::reduce, 4);
  job.dogs[1].reset();  // its records stand still, as a stopped process's do
  EXPECT_TRUE(job.left_within(0, 60));
  EXPECT_TRUE(job.left_within(2, 60));
  job.dogs.clear();
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("rank 1 does not move"), std::string::npos) << told;
  EXPECT_NE(told.find("reduce of step 4"), std::string::npos) << told;
  EXPECT_EQ(told.find("rank 2 does not move"), std::string::npos) << told;
  // One rank speaks for all.
  EXPECT_EQ(told.find("hangs"), told.rfind("hangs")) << told;
  EXPECT_FALSE(std::filesystem::exists(job.folder / Watchdog::kBoardName));
}

TEST(Watchdog, WaitsForOneThatHasTimeLeft) {
  testing::internal::CaptureStderr();
  Job job(2);
  job.dogs[0]->enter(Operation::checkpoint, 4);
  job.dogs[1]->enter(Operation::reduce, 5);
  EXPECT_FALSE(job.left_within(1, 2));  // four times its limit
  job.dogs.clear();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Watchdog, LetsAJobAloneThatMoves) {
  testing::internal::CaptureStderr();
  Job job(2);
  const double begun_s = monotonic_s();
  for (std::int64_t step = 0; monotonic_s() - begun_s < 2; ++step) {
    for (auto& dog : job.dogs) {
      for (const auto operation : {Operation::data, Operation::forward, Operation::reduce}) {
        dog->enter(operation, step);
      }
    }
    std::this_thread::yield();
  }
  EXPECT_FALSE(*job.left[0]);
  EXPECT_FALSE(*job.left[1]);
  job.dogs.clear();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace evd::train
