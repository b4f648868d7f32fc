#include "run/campaign.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "run/campaigns.hpp"
#include "shard/manifest.hpp"

namespace evd::run {
namespace {

using enum Stage;
using Refs = std::vector<StageRef>;

TEST(Dependencies, AreThoseOfTheChain) {
  EXPECT_EQ(inputs_of({harvest, 0}, 1), (Refs{{init, 0}}));
  EXPECT_EQ(inputs_of({harvest, 3}, 1), (Refs{{judge, 2}}));
  EXPECT_EQ(inputs_of({judge, 0}, 1), (Refs{{init, 0}, {harvest, 0}}));
  EXPECT_EQ(inputs_of({judge, 3}, 1), (Refs{{judge, 2}, {harvest, 3}, {evaluate, 2}}));
  EXPECT_EQ(inputs_of({train, 0}, 1), (Refs{{judge, 0}}));
  EXPECT_EQ(inputs_of({train, 3}, 1), (Refs{{train, 2}, {judge, 2}}));
  EXPECT_EQ(inputs_of({train, 3}, 0), (Refs{{train, 2}, {judge, 3}}));
  EXPECT_EQ(inputs_of({evaluate, kStartRound}, 1), (Refs{{init, 0}}));
  EXPECT_EQ(inputs_of({evaluate, 3}, 1), (Refs{{train, 3}, {init, 0}, {judge, 2}}));
  EXPECT_EQ(inputs_of({score, kStartRound}, 1), (Refs{{evaluate, kStartRound}, {harvest, 0}}));
  EXPECT_EQ(inputs_of({score, 3}, 0), (Refs{{evaluate, 3}, {harvest, 0}}));
}

class Chain : public ::testing::TestWithParam<int> {};

TEST_P(Chain, EveryInputComesFirst) {
  const int staleness = GetParam();
  std::set<StageRef> done = {{init, 0}};
  for (const auto& ref : chain(4)) {
    for (const auto& input : inputs_of(ref, staleness))
      EXPECT_TRUE(done.contains(input)) << to_string(ref) << " before " << to_string(input);
    EXPECT_TRUE(done.insert(ref).second) << to_string(ref) << " twice";
  }
  // Four rounds of five stages, the start's two, and init.
  EXPECT_EQ(done.size(), 4U * 5 + 2 + 1);
}

// Two rounds and then two more are the stages of four at once, in the same order.
TEST(ChainOrder, Composes) {
  const auto two = chain(2);
  const auto four = chain(4);
  ASSERT_GT(four.size(), two.size());
  EXPECT_TRUE(std::equal(two.begin(), two.end(), four.begin()));
}

INSTANTIATE_TEST_SUITE_P(Staleness, Chain, ::testing::Values(0, 1));

TEST(Names, AreBuiltInOnePlace) {
  EXPECT_EQ(to_string({judge, 3}), "judge(3)");
  EXPECT_EQ(to_string({evaluate, kStartRound}), "evaluate(start)");
  EXPECT_EQ(to_string({init, 0}), "init");
  EXPECT_EQ(file_stem({judge, 3}), "judge-0003");
  EXPECT_EQ(file_stem({score, kStartRound}), "score-start");
  EXPECT_EQ(arguments_of({score, kStartRound}), "--start --score");
  EXPECT_EQ(arguments_of({train, 12}), "--round 12");
  EXPECT_EQ(program_of(score), "evd-judge");
  EXPECT_EQ(program_of(harvest), "evd-harvest");
}

class CampaignTest : public ::testing::Test {
 protected:
  CampaignTest() { test::make_campaign(root()); }
  [[nodiscard]] std::filesystem::path root() const { return directory_ / "c"; }
  test::TempDir directory_;
};

TEST_F(CampaignTest, KnowsItsDirectories) {
  const Campaign campaign(root());
  EXPECT_EQ(campaign.directory({init, 0}), root() / "prompts");
  EXPECT_EQ(campaign.directory({judge, 3}), root() / "rounds/0003/judge");
  EXPECT_EQ(campaign.directory({score, kStartRound}), root() / "start/score");
  EXPECT_EQ(campaign.set_file({init, 0}), root() / "prompts/set.h5");
  EXPECT_EQ(campaign.set_file({judge, 12}), root() / "rounds/0012/judge/set.h5");
  EXPECT_FALSE(campaign.id().is_none());
}

TEST_F(CampaignTest, ConfigurationIsTheNewestUpToTheRound) {
  std::filesystem::create_directories(root() / "rounds/0002");
  Config changed = test::tiny_config();
  changed.train.lr = 0.125;
  test::write_file(root() / "rounds/0002/config.toml", to_toml(changed));
  const Campaign campaign(root());
  EXPECT_NE(campaign.config(kStartRound).train.lr, 0.125);
  EXPECT_NE(campaign.config(1).train.lr, 0.125);
  EXPECT_EQ(campaign.config(2).train.lr, 0.125);
  EXPECT_EQ(campaign.config(7).train.lr, 0.125);
  EXPECT_EQ(campaign.config_file(7), root() / "rounds/0002/config.toml");
  EXPECT_EQ(campaign.config_files().size(), 2U);
}

TEST_F(CampaignTest, NoCampaignIsToldWithWhatToType) {
  const auto complaint = [](const std::filesystem::path& path) -> std::string {
    try {
      const Campaign campaign(path);
    } catch (const ConfigurationError& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_NE(complaint(directory_ / "nowhere").find("holds no campaign"), std::string::npos);
  EXPECT_NE(complaint(directory_ / "nowhere").find("evd init"), std::string::npos);
  std::filesystem::remove(root() / "prompts/MANIFEST.json");
  EXPECT_NE(complaint(root()).find("did not finish"), std::string::npos);
}

TEST_F(CampaignTest, AResultOfAnotherCampaignIsNoResult) {
  auto manifest = *shard::read_manifest(root() / "prompts");
  manifest.stage = "harvest";
  std::filesystem::create_directories(root() / "rounds/0000/harvest");
  shard::publish_manifest(root() / "rounds/0000/harvest", manifest);
  EXPECT_TRUE(Campaign(root()).manifest({harvest, 0}));
  manifest.campaign = std::string(32, 'a');
  shard::publish_manifest(root() / "rounds/0000/harvest", manifest);
  EXPECT_THROW(static_cast<void>(Campaign(root()).manifest({harvest, 0})), DataError);
}

TEST_F(CampaignTest, ASecondOneInTheSamePlaceIsRefused) {
  EXPECT_THROW(NewCampaign(root(), test::tiny_config()), ConfigurationError);
  std::filesystem::create_directories(directory_ / "full");
  test::write_file(directory_ / "full/thesis.tex", "years of work");
  EXPECT_THROW(NewCampaign(directory_ / "full", test::tiny_config()), ConfigurationError);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "full/thesis.tex"));
}

// An init that was killed leaves no campaign; the same command again makes one.
TEST_F(CampaignTest, AnUnfinishedOneMayBeMadeAgain) {
  std::filesystem::remove(root() / "prompts/MANIFEST.json");
  test::write_file(root() / "prompts/pool-00007.h5", "of the first attempt");
  test::make_campaign(root());
  EXPECT_FALSE(std::filesystem::exists(root() / "prompts/pool-00007.h5"));
  EXPECT_NO_THROW(Campaign{root()});
}

TEST_F(CampaignTest, AnUnfinishedOneKeepsItsId) {
  const CampaignId id = Campaign(root()).id();
  std::filesystem::remove(root() / "prompts/MANIFEST.json");
  test::make_campaign(root());
  EXPECT_EQ(Campaign(root()).id(), id);
}

// Bug: with prompts/MANIFEST.json lost, the advice was to init again: that removed prompts/ and
// drew another id, and all paid rounds were of another campaign.
TEST_F(CampaignTest, ALostManifestIsNoReasonToBeginAnew) {
  std::filesystem::remove(root() / "prompts/MANIFEST.json");
  for (const std::string part : {"rounds/0000", "calls/alpha", "start/evaluate"}) {
    std::filesystem::create_directories(root() / part);
    for (const auto& attempt : {std::function([&] { test::make_campaign(root()); }),
                                std::function([&] { const Campaign campaign(root()); })}) {
      try {
        attempt();
        ADD_FAILURE() << "no complaint with " << part;
      } catch (const ConfigurationError& error) {
        EXPECT_NE(std::string(error.what()).find("restore prompts/"), std::string::npos)
            << error.what();
      }
    }
    std::filesystem::remove_all((root() / part).parent_path());
  }
  EXPECT_TRUE(std::filesystem::exists(root() / "prompts/set.h5"));
}

// Bug: an emptied campaign.toml was another campaign, of defaults only.
TEST_F(CampaignTest, AConfigurationOfAnotherCampaignIsDamage) {
  test::write_file(root() / "campaign.toml", "[network]\ndepth = 3\n");
  const Campaign campaign(root());
  try {
    static_cast<void>(campaign.config(0));
    ADD_FAILURE() << "no complaint";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("network.depth is 3"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace evd::run
