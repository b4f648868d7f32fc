// The chain as Slurm runs it: two nodes, a rank of each stage on each.
#include "slurm/chain.hpp"

#include "core/text.hpp"

namespace evd::test {
namespace {

TEST_F(Chain, TwoRoundsEndAsByRun) {
  const TinyCampaign campaign;
  submit(campaign, {"--rounds", "2"});
  const Finished again = campaign.evd("submit", {"--rounds", "2"});
  EXPECT_EQ(again.code, 0) << again.story();
  EXPECT_NE(again.out.find("0 jobs submitted"), std::string::npos) << again.story();
  wait_for_the_end(campaign);
  const TinyCampaign undisturbed;
  undisturbed.run(2);
  expect_equal(campaign, undisturbed);
  EXPECT_TRUE(has_log(campaign, {Stage::train, 1}, 0));
  const Finished verify = campaign.evd("verify", {"--deep"});
  EXPECT_EQ(verify.code, 0) << verify.story();
}

// In two steps, too, and with the set one round old.
TEST_F(Chain, StalenessLetsHarvestRunBesideTrain) {
  const std::vector<std::string> settings = {"train.staleness=1", "train.steps_per_round=20"};
  const TinyCampaign campaign(settings);
  submit(campaign, {"--rounds", "1"});
  submit(campaign, {"--rounds", "2"});
  wait_for_the_end(campaign);
  const TinyCampaign undisturbed(settings);
  undisturbed.run(2);
  expect_equal(campaign, undisturbed);
  EXPECT_LT(report(campaign, {Stage::harvest, 1}).started_ms,
            report(campaign, {Stage::train, 0}).ended_ms);
}

TEST_F(Chain, SubmittedTwiceAtOnceItRunsOnce) {
  const TinyCampaign campaign;
  const std::vector<std::string> command = {
      program("evd"), "submit", campaign.path().string(), "--rounds", "2", "--site", site()};
  Process first({command});
  Process second({command});
  for (const auto& end : {first.wait(), second.wait()}) {
    EXPECT_TRUE(end.code == 0 || end.code == 78) << end.story();
    EXPECT_TRUE(end.code == 0 || end.err.find("evd submit is being run by") != std::string::npos)
        << end.story();
  }
  const std::string ours = "evd:" + run::Campaign(campaign.path()).id().hex() + ":";
  std::map<std::string, int> jobs;
  for (const auto& line :
       split(slurm({"squeue", "--noheader", "--states=all", "--format=%k"}), '\n'))
    if (line.starts_with(ours)) ++jobs[line];
  EXPECT_EQ(jobs.size(), 12U);
  for (const auto& [comment, count] : jobs) EXPECT_EQ(count, 1) << comment;
  EXPECT_EQ(campaign.evd("cancel").code, 0);
  wait_for_the_end(campaign);
}

TEST_F(Chain, AFailureEndsItsDependents) {
  const TinyCampaign campaign(
      {"vlm.base_url=http://127.0.0.1:9/v1", "harvest.service_patience_s=1"});
  submit(campaign, {"--rounds", "2"});
  wait_for_the_end(campaign);
  const Finished status = campaign.evd("status");
  const std::string wanted = "evd submit " + campaign.path().string() + " --rounds 2\n";
  EXPECT_NE(status.out.find("judge(0) failed"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("did not end well: "), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("train(0)"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find(wanted), std::string::npos) << status.out;
  EXPECT_FALSE(std::filesystem::exists(campaign.path() / "rounds/0000/train"));
  ASSERT_EQ(campaign.evd("set", {"vlm.base_url=rehearsal"}).code, 0);
  const Finished again = campaign.evd("submit", {"--rounds", "2"});
  ASSERT_EQ(again.code, 0) << again.story();
  wait_for_the_end(campaign);
  const TinyCampaign undisturbed;
  undisturbed.run(2);
  expect_equal(campaign, undisturbed);
}

TEST_F(Chain, StoppedEarlyAJobComesBack) {
  const std::vector<std::string> settings = {"train.steps_per_round=40",
                                             "train.checkpoint_every=5"};
  const TinyCampaign campaign(settings);
  const StageRef train{Stage::train, 0};
  submit(campaign, {"--rounds", "1"});
  wait_until_running(campaign, train);
  slurm({"scancel", "--signal=USR1", job_of(campaign, train)});
  wait_until(campaign, "second life", [&] { return has_log(campaign, train, 1); });
  wait_for_the_end(campaign);
  const TinyCampaign undisturbed(settings);
  undisturbed.run(1);
  expect_equal(campaign, undisturbed);
}

// Its script sees code 75 too, and must not bring it back.
TEST_F(Chain, CancelledItStaysAway) {
  const TinyCampaign campaign({"train.steps_per_round=2000"});
  const StageRef train{Stage::train, 0};
  submit(campaign, {"--rounds", "1"});
  wait_until_running(campaign, train);
  const Finished cancel = campaign.evd("cancel");
  EXPECT_EQ(cancel.code, 0) << cancel.story();
  EXPECT_NE(cancel.out.find("it is told to save and leave"), std::string::npos) << cancel.story();
  wait_for_the_end(campaign);
  EXPECT_EQ(report(campaign, train).state, "stopped");
  const Finished status = campaign.evd("status");
  EXPECT_NE(status.out.find("train(0) stopped: its work is saved"), std::string::npos)
      << status.out;
  EXPECT_NE(status.out.find("--rounds 1\n"), std::string::npos) << status.out;
}

TEST_F(Chain, AStageByHand) {
  const TinyCampaign campaign;
  submit(campaign, {"--rounds", "1"});
  wait_for_the_end(campaign);
  const auto before = campaign.contents();
  const Finished hand =
      test::run({.arguments = {"sbatch", "--wait", "--nodes=2", "--ntasks=2", "--cpus-per-task=1",
                               "--output=" + (campaign.path() / "logs/by-hand.log").string(),
                               (source_directory() / "slurm/train.sbatch").string(),
                               campaign.path().string(), "0", "--rerun"},
                 .timeout_s = 240});
  EXPECT_EQ(hand.code, 0) << hand.story() << read_file(campaign.path() / "logs/by-hand.log");
  EXPECT_TRUE(std::filesystem::exists(campaign.path() / "rounds/0000/train.retired-001"));
  submit(campaign, {"--stage", "judge", "--round", "0", "--rerun", "--then-rest"});
  wait_for_the_end(campaign);
  EXPECT_TRUE(std::filesystem::exists(campaign.path() / "rounds/0000/judge.retired-001"));
  EXPECT_FALSE(std::filesystem::exists(campaign.path() / "rounds/0000/train.retired-002"))
      << "an equal set makes nothing stale";
  auto after = campaign.contents();
  for (const auto& [directory, digest] : before) EXPECT_EQ(after[directory], digest) << directory;
}

}  // namespace
}  // namespace evd::test
