#include "run/progress.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

TEST(Progress, LineSaysRateAndTimeLeft) {
  EXPECT_EQ(progress_line({.what = "train(2)",
                           .unit = "steps",
                           .note = "loss 0.31",
                           .done = 130,
                           .total = 400,
                           .rate_per_s = 13.5}),
            "train(2): 130/400 steps, 13.5/s, 20.0 s left, loss 0.31");
  EXPECT_EQ(progress_line(
                {.what = "train(2)", .unit = "steps", .done = 3, .total = 4, .rate_per_s = 0.1}),
            "train(2): 3/4 steps, one in 10.0 s, 10.0 s left");
  EXPECT_EQ(progress_line({.what = "judge(0)", .unit = "answers", .done = 0, .total = 0}),
            "judge(0): 0 answers");
}

TEST(Progress, IsSavedWhileItRunsAndGoesAtTheEnd) {
  const test::TempDir directory;
  const auto file = directory / "p.json";
  const Log log("test", 0);
  {
    Progress progress(log, "harvest(1)", file);
    progress.begin("images", 10);
    progress.update(4, "$1");  // found done: says nothing about the speed
    auto facts = read_progress(file);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->done, 4);
    EXPECT_EQ(facts->total, 10);
    EXPECT_EQ(facts->rate_per_s, 0);
    EXPECT_EQ(facts->note, "$1");
    progress.update(10);
    facts = read_progress(file);
    EXPECT_EQ(facts->done, 10);
    EXPECT_GT(facts->rate_per_s, 0);
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(read_progress(file));
}

TEST(Progress, OtherRanksAreSilent) {
  const test::TempDir directory;
  const Log log("test", 1);
  Progress progress(log, "harvest(1)", directory / "p.json");
  progress.begin("images", 10);
  progress.update(10);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace evd::run
