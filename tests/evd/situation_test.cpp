#include "situation.hpp"

#include <gtest/gtest.h>

#include "run/campaigns.hpp"
#include "run/stage_report.hpp"

namespace evd::hands {
namespace {

using run::Stage;

class SituationTest : public ::testing::Test {
 protected:
  SituationTest() { test::make_campaign(root()); }
  [[nodiscard]] std::filesystem::path root() const { return directory_ / "c"; }

  [[nodiscard]] Situation look() const {
    const run::Campaign campaign(root());
    run::Standings standings(campaign);
    return situation_of(campaign, kRef, standings, run::lease_identity(kRef, "observer", 1),
                        run::system_probes());
  }
  void put(const run::LeaseRecord& lease) const {
    test::write_file(root() / "leases/harvest-0000.json", to_json(lease));
  }
  void put(const run::StageReport& report) const {
    std::filesystem::create_directories(root() / "rounds/0000/harvest");
    publish_report(root() / "rounds/0000/harvest", report);
  }
  [[nodiscard]] static run::LeaseRecord lease() {
    auto record = run::lease_identity(kRef, "job-1", 2);
    record.attempt = 3;
    return record;
  }

  static constexpr run::StageRef kRef{Stage::harvest, 0};
  test::TempDir directory_;
};

TEST_F(SituationTest, NothingThereIsWaiting) { EXPECT_EQ(look().look, Look::waiting); }

TEST_F(SituationTest, ALivingHolderRuns) {
  put(lease());
  test::write_file(root() / "leases/harvest-0000.progress.json",
                   R"JSON({"what":"harvest(0)","unit":"images","note":"","done":3,"total":10,)JSON"
                   R"JSON("rate_per_s":2.0,"updated_ms":0})JSON");
  const auto seen = look();
  EXPECT_EQ(seen.look, Look::running);
  EXPECT_NE(seen.story.find("job job-1"), std::string::npos) << seen.story;
  EXPECT_NE(seen.story.find("3/10 images, 2.0/s, 3.5 s left"), std::string::npos) << seen.story;
}

TEST_F(SituationTest, ADeadHolderWithoutAWordWasKilled) {
  auto record = lease();
  record.start_ticks -= 1;
  put(record);
  const auto seen = look();
  EXPECT_EQ(seen.look, Look::killed);
  EXPECT_EQ(seen.command, "evd-harvest " + root().string() + " --round 0");
}

TEST_F(SituationTest, AFailureIsToldAsReported) {
  auto record = lease();
  record.released = true;
  put(record);
  run::StageReport report;
  report.stage = "harvest";
  report.attempt = 3;
  report.state = "failed";
  report.exit_code = 69;
  report.rank = 1;
  report.error = "teacher alpha stayed away";
  put(report);
  auto seen = look();
  EXPECT_EQ(seen.look, Look::failed);
  EXPECT_NE(seen.story.find("rank 1: teacher alpha stayed away (exit code 69"), std::string::npos)
      << seen.story;
  // An older life's report says nothing about a later one.
  report.attempt = 2;
  put(report);
  EXPECT_EQ(look().look, Look::stopped);
  report.attempt = 3;
  report.state = "stopped";
  put(report);
  EXPECT_EQ(look().look, Look::stopped);
}

}  // namespace
}  // namespace evd::hands
