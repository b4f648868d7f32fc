#include <filesystem>

#include <gtest/gtest.h>

#include "shard/table.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

TEST(Loop, RunsAndChecksAndComposes) {
  const TinyCampaign whole;
  whole.run(3);
  const TinyCampaign in_parts;
  in_parts.run(1);
  in_parts.run(3, 1);
  // Chains compose, and no result but training (float sums) depends on the ranks.
  in_parts.run(3);

  const Finished verify = whole.evd("verify", {"--deep"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  const Finished status = whole.evd("status");
  EXPECT_EQ(status.code, 0) << status.err;
  EXPECT_EQ(status.out.find("stale"), std::string::npos) << status.out;

  const auto set = shard::read_table<shard::Sample>(whole.path() / "rounds/0002/judge/set.h5");
  std::size_t expanded = 0;
  for (const auto& sample : set)
    if (sample.operation == shard::Operation::expand) ++expanded;
  EXPECT_GT(expanded, 0U) << "three rounds wrote no variation";
}

TEST(Loop, SameSeedSameCampaign) {
  const TinyCampaign first;
  first.run(2);
  const TinyCampaign second;
  second.run(1);
  second.run(2);
  auto expected = first.contents();
  auto got = second.contents();
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(expected, got);
}

TEST(Loop, AgainIsQuickAndChangesNothing) {
  const TinyCampaign campaign;
  campaign.run(1);
  const auto before = campaign.contents();
  const auto stamp =
      std::filesystem::last_write_time(campaign.path() / "rounds/0000/train/MANIFEST.json");
  campaign.run(1);
  EXPECT_EQ(before, campaign.contents());
  EXPECT_EQ(stamp,
            std::filesystem::last_write_time(campaign.path() / "rounds/0000/train/MANIFEST.json"));
}

// Faults that retries overcome change nothing in the result.
TEST(Loop, FaultyServicesGiveTheSameCampaign) {
  const TinyCampaign calm;
  calm.run(2);
  const TinyCampaign stormy({"rehearsal.fail_rate=0.05", "rehearsal.throttle_rate=0.05",
                             "vlm.max_attempts=12", "teacher.aurora.max_attempts=12",
                             "teacher.glyph.max_attempts=12"});
  stormy.run(2);
  auto expected = calm.contents();
  auto got = stormy.contents();
  for (const auto& [stage, digest] : expected) EXPECT_EQ(digest, got[stage]) << stage;
}

}  // namespace
}  // namespace evd::test
