#include "round_times.hpp"

#include <gtest/gtest.h>

#include "text_table.hpp"

namespace evd::hands {
namespace {

using run::Stage;

shard::Manifest manifest(const char* activity, double seconds, double launch) {
  shard::Manifest m;
  m.seconds = {{activity, seconds}, {"launch", launch}, {"wall", 100}};
  return m;
}

TEST(RoundTimes, OverheadIsWhatIsLeft) {
  RunLog log;
  log.runs = {{{Stage::harvest, 0}, 1000, 11'000, 10, 0},
              {{Stage::judge, 0}, 11'500, 15'500, 4, 0}};
  const auto rounds = round_times(log, {{{Stage::harvest, 0}, manifest("drawing", 8, 0.5)},
                                        {{Stage::judge, 0}, manifest("judging", 3, 0.25)}});
  ASSERT_EQ(rounds.size(), 1U);
  const auto& t = rounds.at(0);
  EXPECT_DOUBLE_EQ(t.wall_s, 10 + 4 + 0.5) << "with the half second in between";
  EXPECT_DOUBLE_EQ(t.drawing_s, 8);
  EXPECT_DOUBLE_EQ(t.judging_s, 3);
  EXPECT_DOUBLE_EQ(t.launcher_s, 0.75);
  EXPECT_DOUBLE_EQ(t.overhead_s(), 14.5 - 11 - 0.75);
}

TEST(RoundTimes, EmptyProgramsTellTheLaunchersShare) {
  RunLog log;
  log.probes = {{Stage::judge, 0, 9}, {Stage::judge, 0, 1}};
  log.runs = {{{Stage::score, 0}, 1000, 5000, 4, 0}};
  const auto rounds = round_times(log, {{{Stage::score, 0}, manifest("judging", 2, 0.25)}});
  EXPECT_DOUBLE_EQ(rounds.at(0).launcher_s, 1) << "the newest, of the same program";
}

TEST(RoundTimes, TheLastSuccessCounts) {
  RunLog log;
  log.runs = {{{Stage::train, 1}, 1000, 2000, 50, 0},
              {{Stage::train, 1}, 900'000, 901'000, 5, 0},
              {{Stage::train, 1}, 950'000, 951'000, 7, 75}};
  const auto rounds = round_times(log, {{{Stage::train, 1}, manifest("training", 4, 0)}});
  EXPECT_DOUBLE_EQ(rounds.at(1).wall_s, 5) << "and the pause before it is somebody's own";
  EXPECT_TRUE(round_times(log, {}).empty()) << "without a manifest there is nothing to tell";
}

TEST(TextTable, Aligns) {
  EXPECT_EQ(text_table({{"a", "b"}, {"long", "7"}, {"é", "10"}}, {Align::left, Align::right}),
            "a      b\nlong   7\né     10\n");
}

}  // namespace
}  // namespace evd::hands
