#include "run/staleness.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "run/campaigns.hpp"

namespace evd::run {
namespace {

using enum Stage;

// A campaign of manifests alone.
class StalenessTest : public ::testing::Test {
 protected:
  StalenessTest() {
    manifests_[{init, 0}] = {};
    finish({init, 0}, "prompts");
    for (const auto& ref : chain(3)) finish(ref, to_string(ref));
  }

  // `ref` as if it had just been published with these contents.
  void finish(const StageRef& ref, const std::string& content) {
    shard::Manifest m;
    m.stage = name(ref.stage);
    m.round = ref.round;
    m.content = sha256(content);
    m.config_toml = to_toml(config(ref.round));
    m.science = science_digest(config(ref.round));
    for (const auto& input : inputs_of(ref, config(ref.round).train.staleness))
      m.inputs.push_back(
          {std::string(name(input.stage)), input.round, manifests_.at(input).content});
    manifests_[ref] = m;
  }

  [[nodiscard]] Config config(int round) const {
    const auto found = configs_.find(round);
    return found == configs_.end() ? test::tiny_config() : found->second;
  }

  // All that are not done, as "train(2) stale".
  [[nodiscard]] std::vector<std::string> not_done() const {
    Standings standings(
        [this](const StageRef& ref) -> std::optional<shard::Manifest> {
          if (damaged_ == ref) throw DataError("MANIFEST.json: is damaged");
          const auto found = manifests_.find(ref);
          if (found == manifests_.end()) return std::nullopt;
          return found->second;
        },
        [this](int round) { return config(round); });
    std::vector<std::string> names;
    for (const auto& ref : chain(3))
      if (const auto state = standings.of(ref).state; state != State::done)
        names.push_back(to_string(ref) + " " + std::string(name_of(state)));
    return names;
  }

  std::map<StageRef, shard::Manifest> manifests_;
  std::map<int, Config> configs_;
  std::optional<StageRef> damaged_;
};

using Names = std::vector<std::string>;

TEST_F(StalenessTest, NothingIsStaleWhenNothingChanged) { EXPECT_EQ(not_done(), Names{}); }

TEST_F(StalenessTest, ARerunWithTheSameContentMakesNothingStale) {
  finish({judge, 1}, "judge(1)");
  EXPECT_EQ(not_done(), Names{});
}

TEST_F(StalenessTest, AnotherContentReachesWhatReadsIt) {
  finish({evaluate, 1}, "other pixels");
  EXPECT_EQ(not_done(), (Names{"score(1) stale", "judge(2) stale"}));
}

TEST_F(StalenessTest, StaleIsTransitive) {
  finish({judge, 1}, "another set");
  EXPECT_EQ(not_done(), (Names{"harvest(2) stale", "judge(2) stale", "train(2) stale",
                               "evaluate(2) stale", "score(2) stale"}));
}

TEST_F(StalenessTest, AMissingInputIsNamed) {
  manifests_.erase({train, 2});
  EXPECT_EQ(not_done(), (Names{"train(2) not finished", "evaluate(2) stale", "score(2) stale"}));
}

TEST_F(StalenessTest, ADamagedManifestIsNoResult) {
  damaged_ = StageRef{train, 2};
  EXPECT_EQ(not_done(), (Names{"train(2) damaged", "evaluate(2) stale", "score(2) stale"}));
}

TEST_F(StalenessTest, AScienceKeyMakesStaleJustWhatItAffects) {
  Config changed = test::tiny_config();
  changed.train.lr = 0.5;
  configs_[2] = changed;
  EXPECT_EQ(not_done(), (Names{"train(2) stale", "evaluate(2) stale", "score(2) stale"}));
  changed = test::tiny_config();
  changed.judge.score_prompts = 5;
  configs_[2] = changed;
  EXPECT_EQ(not_done(), (Names{"score(2) stale"}));
}

TEST_F(StalenessTest, AnOperationKeyMakesNothingStale) {
  Config changed = test::tiny_config();
  changed.budget.usd = 3;
  changed.train.keep = 7;
  for (int round = kStartRound; round < 3; ++round) configs_[round] = changed;
  EXPECT_EQ(not_done(), Names{});
}

// Bug: the key decides which prompts the judge takes, but was one that changes no result.
TEST_F(StalenessTest, MinTeachersIsTheJudgesConcern) {
  Config changed = test::tiny_config();
  changed.harvest.min_teachers = 2;
  configs_[2] = changed;
  const auto names = not_done();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.front(), "judge(2) stale");
  EXPECT_EQ(std::count(names.begin(), names.end(), "harvest(2) stale"), 0);
}

TEST_F(StalenessTest, AnotherStalenessReadsAnotherSet) {
  Config changed = test::tiny_config();
  changed.train.staleness = 0;
  configs_[2] = changed;
  EXPECT_EQ(not_done(), (Names{"train(2) stale", "evaluate(2) stale", "score(2) stale"}));
}

TEST_F(StalenessTest, AManifestOfOtherKeysIsANoteOnly) {
  auto& manifest = manifests_.at({train, 2});
  manifest.config_toml = "[train]\nforgotten_key = 1\n";
  manifest.science = sha256(std::string_view("another version"));
  EXPECT_EQ(not_done(), Names{});
}

TEST(Affects, EveryScienceKeyHasAStage) {
  for (const auto& setting : settings_of(test::tiny_config())) {
    if (setting.scope != Scope::science) continue;
    bool any = false;
    for (const auto stage : {init, harvest, judge, train, evaluate, score})
      any = any || affects(setting.path, stage);
    EXPECT_TRUE(any) << setting.path << " is science, but no stage is said to use it";
  }
  EXPECT_TRUE(affects("train.lr", train));
  EXPECT_FALSE(affects("train.lr", judge));
  EXPECT_FALSE(affects("network.depth", train));
  EXPECT_TRUE(affects("judge.tie_margin", score));
  EXPECT_FALSE(affects("judge.expand", score));
}

}  // namespace
}  // namespace evd::run
