#include <gtest/gtest.h>

#include "core/text.hpp"
#include "run/campaigns.hpp"
#include "support/process.hpp"

namespace evd::test {
namespace {

class SetKey : public ::testing::Test {
 protected:
  SetKey() { make_campaign(root()); }
  [[nodiscard]] std::filesystem::path root() const { return directory_ / "c"; }
  [[nodiscard]] Finished set(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {program("evd"), "set", root().string()});
    return test::run({.arguments = arguments});
  }
  [[nodiscard]] run::Config config(int round) const { return run::Campaign(root()).config(round); }
  TempDir directory_;
};

TEST_F(SetKey, ScienceChangesFromARoundOn) {
  const auto done = set({"train.lr=0.125", "--from", "2"});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.out.find("train.lr: 2e-05 -> 0.125, from round 2"), std::string::npos)
      << done.story();
  EXPECT_NE(config(1).train.lr, 0.125);
  EXPECT_EQ(config(2).train.lr, 0.125);
  EXPECT_NE(read_file(root() / "config-history.jsonl").find("\"key\":\"train.lr\""),
            std::string::npos);
  // An earlier change reaches a later round's own file too.
  ASSERT_EQ(set({"train.lr=0.25", "--from", "1"}).code, 0);
  EXPECT_EQ(config(1).train.lr, 0.25);
  EXPECT_EQ(config(2).train.lr, 0.25);
  EXPECT_NE(config(0).train.lr, 0.25);
}

// Round 1 has the value already, round 2 does not: the later one changes.
TEST_F(SetKey, AnEqualValueStillReachesLaterRounds) {
  const auto value = format("train.lr=%g", config(1).train.lr);
  ASSERT_EQ(set({"train.lr=0.125", "--from", "2"}).code, 0);
  const auto done = set({value, "--from", "1"});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.out.find("train.lr: 0.125 -> 2e-05, from round 2"), std::string::npos)
      << done.story();
  EXPECT_EQ(config(2).train.lr, config(1).train.lr);
  EXPECT_FALSE(std::filesystem::exists(root() / "rounds/0001")) << "round 1 did not change";
  EXPECT_NE(read_file(root() / "config-history.jsonl")
                .find("\"from_round\":2,\"key\":\"train.lr\""
                      ",\"scope\":\"science\",\"before\":\"0.125"),
            std::string::npos);
  const auto again = set({value, "--from", "1"});
  EXPECT_NE(again.out.find("nothing changes"), std::string::npos) << again.story();
}

// Earlier rounds keep theirs, and are no reason to refuse or to change anything.
TEST_F(SetKey, EarlierRoundsAreLeftAlone) {
  ASSERT_EQ(set({"train.lr=0.125", "--from", "2"}).code, 0);
  const auto done = set({"train.lr=0.125", "--from", "3"});
  EXPECT_NE(done.out.find("nothing changes"), std::string::npos) << done.story();
  EXPECT_NE(config(1).train.lr, 0.125);
}

TEST_F(SetKey, OperationChangesEverywhereAtOnce) {
  ASSERT_EQ(set({"train.lr=0.125", "--from", "2"}).code, 0);
  const auto done = set({"budget.usd=7", "teacher.alpha.first_byte_timeout_s = 11"});
  ASSERT_EQ(done.code, 0) << done.story();
  for (const int round : {run::kStartRound, 0, 1, 2, 5}) {
    EXPECT_EQ(config(round).budget.usd, 7);
    EXPECT_EQ(config(round).teachers[0].first_byte_timeout_s, 11);
  }
  EXPECT_EQ(config(2).train.lr, 0.125);
}

TEST_F(SetKey, RefusesWhatMayNotChange) {
  const auto says = [&](std::vector<std::string> arguments, int code, const char* what) {
    const auto refused = set(std::move(arguments));
    EXPECT_EQ(refused.code, code) << refused.story();
    EXPECT_NE(refused.err.find(what), std::string::npos) << refused.story();
  };
  says({"network.depth=3", "--from", "2"}, 78, "never changes");
  says({"campaign.seed=3"}, 78, "never changes");
  says({"set.start_samples=3", "--from", "2"}, 78, "was used by evd init");
  says({"train.lr=0.5"}, 64, "Add --from ROUND");
  says({"train.lrr=0.5", "--from", "1"}, 78, "did you mean train.lr?");
  says({"train.lr=ten", "--from", "1"}, 78, "is not a number");
  says({"teacher.alpha.name=x", "--from", "1"}, 78, "knows the teacher by its name");
  says({}, 64, "KEY=VALUE");
  EXPECT_FALSE(std::filesystem::exists(root() / "config-history.jsonl"));
}

TEST_F(SetKey, TheSameValueChangesNothing) {
  const auto done = set({"budget.usd=100"});
  EXPECT_EQ(done.code, 0);
  EXPECT_NE(done.out.find("nothing changes"), std::string::npos) << done.story();
}

}  // namespace
}  // namespace evd::test
