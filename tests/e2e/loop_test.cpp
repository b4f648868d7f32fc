#include <filesystem>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "shard/table.hpp"
#include "shard/training_rows.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

void expect_equal(const TinyCampaign& expected, const TinyCampaign& got) {
  auto is = got.contents();
  const auto should = expected.contents();
  EXPECT_EQ(should.size(), is.size());
  for (const auto& [result, digest] : should) EXPECT_EQ(digest, is[result]) << result;
}

// The set of a round's judge has what training told in the round before.
void expect_training_losses(const std::vector<shard::Sample>& set,
                            const std::filesystem::path& visits) {
  std::map<SampleId, std::vector<double>> losses;
  for (const auto& visit : shard::read_table<shard::Visit>(visits))
    losses[visit.sample].push_back(double{visit.loss});
  std::size_t compared = 0;
  for (const auto& sample : set) {
    EXPECT_EQ(sample.training_loss > 0, sample.times_trained > 0) << sample.id.hex();
    const auto found = losses.find(sample.id);
    if (found == losses.end()) continue;
    const double sum = std::accumulate(found->second.begin(), found->second.end(), 0.0);
    EXPECT_NEAR(sample.training_loss, sum / static_cast<double>(found->second.size()), 1e-6);
    ++compared;
  }
  EXPECT_GT(compared, 0U);
}

TEST(Loop, RunsAndChecksAndComposes) {
  const TinyCampaign whole;
  whole.run(3);
  const TinyCampaign in_parts;
  in_parts.run(1);
  in_parts.run(3);
  expect_equal(whole, in_parts);

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
  expect_training_losses(set, whole.path() / "rounds/0001/train/visits.h5");
}

// Every stage by hand: training, whose float sums depend on it, on as many ranks as before, all
// others on other numbers.
TEST(Loop, NoResultButTrainingDependsOnTheRanks) {
  const TinyCampaign two;
  two.run(2);
  const TinyCampaign others;
  int ranks = 1;
  for (const auto& step : TinyCampaign::chain(2)) {
    const Finished done =
        others.stage(step.program, step.program == "train" ? 2 : ranks, step.arguments);
    ASSERT_EQ(done.code, 0) << step.directory << done.story();
    ranks = 4 - ranks;  // 1, 3, 1, ...
  }
  expect_equal(two, others);
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

int calls_with(const TinyCampaign& campaign, int status) {
  int calls = 0;
  for (const auto& step : TinyCampaign::chain(2)) {
    const auto file = campaign.path() / step.directory / "calls.h5";
    if (!std::filesystem::exists(file)) continue;
    for (const auto& call : shard::read_table<shard::Call>(file))
      calls += call.status == status ? 1 : 0;
  }
  return calls;
}

// Faults that retries overcome change nothing in the result. (Whether an answer is malformed
// depends on the attempt, so none is. The rates are low because a third 500 in a row is final.)
TEST(Loop, FaultyServicesGiveTheSameCampaign) {
  const TinyCampaign calm({"rehearsal.malformed_rate=0"});
  calm.run(2);
  const TinyCampaign stormy({"rehearsal.malformed_rate=0", "rehearsal.fail_rate=0.05",
                             "rehearsal.throttle_rate=0.05", "vlm.max_attempts=12",
                             "teacher.aurora.max_attempts=12", "teacher.glyph.max_attempts=12"});
  stormy.run(2);
  EXPECT_EQ(calls_with(calm, 500) + calls_with(calm, 429), 0);
  EXPECT_GT(calls_with(stormy, 500), 0);
  EXPECT_GT(calls_with(stormy, 429), 0);
  expect_equal(calm, stormy);
}

}  // namespace
}  // namespace evd::test
