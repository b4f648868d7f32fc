#include <filesystem>

#include <gtest/gtest.h>

#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

bool has_retired(const std::filesystem::path& round, const std::string& stage) {
  for (const auto& entry : std::filesystem::directory_iterator(round))
    if (entry.path().filename().string().starts_with(stage + ".retired-")) return true;
  return false;
}

std::string ledger_lines(const TinyCampaign& campaign) {
  std::size_t lines = 0;
  for (const auto& entry : std::filesystem::directory_iterator(campaign.path() / "rehearsal")) {
    if (entry.path().extension() != ".jsonl") continue;
    const Finished count = run({{"wc", "-l", entry.path().string()}});
    lines += std::stoul(count.out);
  }
  return std::to_string(lines);
}

// Any stage again by hand: decided anew from what is recorded, with the same result, nothing paid,
// the old result set aside, and nothing stale afterwards.
TEST(Rerun, GivesTheSameAndPaysNothing) {
  const TinyCampaign campaign;
  campaign.run(2);
  const auto before = campaign.contents();
  const std::string charged = ledger_lines(campaign);
  for (const std::string stage : {"harvest", "judge", "train", "evaluate"}) {
    const Finished again = campaign.stage(stage, 2, {"--round", "1", "--rerun"});
    ASSERT_EQ(again.code, 0) << stage << again.out << again.err;
    EXPECT_TRUE(has_retired(campaign.path() / "rounds/0001", stage)) << stage;
  }
  const Finished score = campaign.stage("judge", 2, {"--score", "--round", "1", "--rerun"});
  ASSERT_EQ(score.code, 0) << score.err;

  auto after = campaign.contents();
  for (const auto& [directory, digest] : before) EXPECT_EQ(digest, after[directory]) << directory;
  EXPECT_EQ(charged, ledger_lines(campaign)) << "a rerun from recorded answers paid again";
  const Finished status = campaign.evd("status");
  EXPECT_EQ(status.out.find("stale"), std::string::npos) << status.out;
  const Finished verify = campaign.evd("verify", {"--deep"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
}

// Without --rerun a finished stage says so and does nothing.
TEST(Rerun, DoneIsDone) {
  const TinyCampaign campaign;
  campaign.run(1);
  const Finished again = campaign.stage("judge", 1, {"--round", "0"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE((again.out + again.err).find("--rerun"), std::string::npos) << again.out << again.err;
  EXPECT_FALSE(has_retired(campaign.path() / "rounds/0000", "judge"));
}

}  // namespace
}  // namespace evd::test
