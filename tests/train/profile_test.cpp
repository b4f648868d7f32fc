#include "train/profile.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "support/temp_dir.hpp"

namespace evd::train {
namespace {

TEST(StepRange, IsReadOrRefused) {
  const auto range = parse_step_range("10:13");
  EXPECT_EQ(range.begin, 10);
  EXPECT_EQ(range.end, 13);
  for (const char* wrong : {"", "10", "10:", ":13", "13:10", "10:10", "a:b", "1:2:3", "-1:3"}) {
    EXPECT_THROW((void)parse_step_range(wrong), UsageError) << wrong;
  }
}

void step(Profile& profile, std::int64_t number) {
  profile.enter(Operation::data, number);
  profile.enter(Operation::backward, number);
  const double begun_s = monotonic_s();
  profile.reduced(3, begun_s, monotonic_s());
  profile.enter(Operation::update, number);
}

TEST(Profile, HoldsTheStepsOfTheRangeAndNoOthers) {
  const test::TempDir folder;
  const Log log("train", 1);
  // The round's first step is the campaign's 100th.
  Profile profile({2, 4}, 100, 1, folder / "deep/profile.json", log);
  for (std::int64_t number = 100; number < 104; ++number) step(profile, number);
  profile.enter(Operation::checkpoint, 103);
  EXPECT_FALSE(std::filesystem::exists(folder / "deep/profile.json"));
  step(profile, 104);
  const auto trace = nlohmann::json::parse(test::read_file(folder / "deep/profile.json"));
  std::map<std::string, int> counts;
  double end = 0;
  for (const auto& event : trace.at("traceEvents")) {
    EXPECT_EQ(event.at("pid"), 1);
    if (event.at("ph") != "X") continue;
    ++counts[event.at("name")];
    const int number = event.at("args").at("step");
    EXPECT_TRUE(number == 102 || number == 103);
    EXPECT_GE(event.at("dur").get<double>(), 0);
    if (event.at("tid") != 0) continue;
    // One after another, without gaps beyond the rounding of what is printed.
    if (end > 0) {
      EXPECT_NEAR(event.at("ts").get<double>(), end, 0.5);
    }
    end = event.at("ts").get<double>() + event.at("dur").get<double>();
  }
  const std::map<std::string, int> expected = {
      {"data", 2}, {"backward", 2}, {"update", 2}, {"bucket 3", 2}, {"checkpoint", 1}};
  EXPECT_EQ(counts, expected);
}

TEST(Profile, ARangeThatTheRoundEndsInIsWritten) {
  const test::TempDir folder;
  const Log log("train", 1);
  Profile profile({0, 50}, 0, 0, folder / "profile.json", log);
  step(profile, 0);
  profile.finish();
  EXPECT_TRUE(std::filesystem::exists(folder / "profile.json"));
  Profile never({10, 50}, 0, 0, folder / "never.json", log);
  step(never, 0);
  never.finish();
  EXPECT_FALSE(std::filesystem::exists(folder / "never.json"));
}

}  // namespace
}  // namespace evd::train
