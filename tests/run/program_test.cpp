#include "run/program.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "run/campaigns.hpp"
#include "run/lease.hpp"
#include "run/stage_report.hpp"
#include "shard/manifest.hpp"
#include "support/process.hpp"

namespace evd::test {
namespace {

using run::Stage;
using run::StageRef;

class Program : public ::testing::TestWithParam<int> {
 protected:
  Program() { make_campaign(root()); }

  [[nodiscard]] std::filesystem::path root() const { return directory_ / "campaign"; }
  [[nodiscard]] std::filesystem::path result() const { return root() / "start" / "evaluate"; }

  [[nodiscard]] Command command(const std::string& tiny, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {EVD_TINY_STAGE, root().string(), "--start"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {.arguments = GetParam() == 0 ? arguments : mpirun(GetParam(), arguments),
            .environment = {{"TINY", tiny}},
            .timeout_s = 60};
  }
  [[nodiscard]] Finished tiny(const std::string& what, std::vector<std::string> more = {}) const {
    return test::run(command(what, std::move(more)));
  }

  TempDir directory_;
};

TEST_P(Program, PublishesManifestAndReport) {
  const auto outcome = tiny("publish");
  ASSERT_EQ(outcome.code, 0) << outcome.story();
  const auto manifest = shard::read_manifest(result());
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->stage, "evaluate");
  EXPECT_EQ(manifest->round, run::kStartRound);
  EXPECT_EQ(manifest->ranks, GetParam());
  EXPECT_EQ(manifest->counts.done, 1);
  ASSERT_EQ(manifest->inputs.size(), 1U);
  EXPECT_EQ(manifest->inputs[0].stage, "init");
  EXPECT_EQ(manifest->inputs[0].content, shard::read_manifest(root() / "prompts")->content);
  EXPECT_GT(manifest->seconds.at("wall"), 0);
  EXPECT_GT(manifest->seconds.at("cpu"), 0);
  const auto report = run::read_report(result());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->state, "done");
  EXPECT_EQ(report->closing_line, "one row, rerun 0");
  EXPECT_TRUE(run::read_lease(root() / "leases" / "evaluate-start.json")->released);
}

TEST_P(Program, SaysThatItIsDoneAlready) {
  ASSERT_EQ(tiny("publish").code, 0);
  const auto again = tiny("throw");
  EXPECT_EQ(again.code, 0) << again.story();
  EXPECT_NE(again.err.find("evaluate(start) is done already"), std::string::npos) << again.story();
  EXPECT_NE(again.err.find("--start --rerun"), std::string::npos) << again.story();
}

TEST_P(Program, RerunSetsTheOldResultAside) {
  ASSERT_EQ(tiny("publish").code, 0);
  const auto again = tiny("other", {"--rerun=failed"});
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_NE(again.err.find("one row, rerun 2"), std::string::npos) << again.story();
  const auto retired = shard::read_manifest(root() / "start" / "evaluate.retired-001");
  ASSERT_TRUE(retired);
  const auto now = shard::read_manifest(result());
  ASSERT_TRUE(now);
  EXPECT_NE(retired->content, now->content);
  EXPECT_EQ(retired->attempt, 1);
  EXPECT_EQ(now->attempt, 2);
}

TEST_P(Program, FreshRerunWantsConsent) {
  ASSERT_EQ(tiny("publish").code, 0);
  const auto refused = tiny("publish", {"--rerun=fresh"});
  EXPECT_EQ(refused.code, 64) << refused.story();
  EXPECT_NE(refused.err.find("add --yes"), std::string::npos) << refused.story();
  EXPECT_EQ(tiny("publish", {"--rerun=fresh", "--yes"}).code, 0);
}

// A node may die between a job's result and its end: requeued, it must not pay once more.
TEST_P(Program, ARerunHappensOncePerSubmission) {
  const auto life = [&](const std::string& job, const std::string& restart) {
    auto rerun = command("publish", {"--rerun=fresh", "--yes"});
    const auto at = std::find(rerun.arguments.begin(), rerun.arguments.end(), EVD_TINY_STAGE);
    // Only the ranks: mpirun itself would look for the job's nodes.
    const std::vector<std::string> slurm = {"env", "SLURM_JOB_ID=" + job};
    rerun.arguments.insert(at, slurm.begin(), slurm.end());
    if (!restart.empty())
      rerun.arguments.insert(
          std::find(rerun.arguments.begin(), rerun.arguments.end(), EVD_TINY_STAGE),
          "SLURM_RESTART_COUNT=" + restart);
    const auto outcome = test::run(rerun);
    EXPECT_EQ(outcome.code, 0) << outcome.story();
    return outcome;
  };
  const auto set_aside = [&](int number) {
    return std::filesystem::exists(root() / "start" /
                                   ("evaluate.retired-00" + std::to_string(number)));
  };
  ASSERT_EQ(tiny("publish").code, 0);
  static_cast<void>(life("77", ""));
  EXPECT_EQ(shard::read_manifest(result())->job, "77-0");
  EXPECT_TRUE(set_aside(1));
  const auto requeued = life("77", "1");
  EXPECT_NE(requeued.err.find("evaluate(start) is done already"), std::string::npos)
      << requeued.story();
  EXPECT_FALSE(set_aside(2));
  // Another submission, killed before it published, and its next life.
  static_cast<void>(life("7", "1"));
  EXPECT_TRUE(set_aside(2));
  EXPECT_EQ(shard::read_manifest(result())->job, "7-1");
  static_cast<void>(life("7", "2"));
  EXPECT_FALSE(set_aside(3));
  static_cast<void>(life("77", ""));
  EXPECT_TRUE(set_aside(3)) << "a job of the same number that is in its first life";
}

// The other ranks sit in a barrier: without an abort this would hang.
TEST_P(Program, AnErrorOnOneRankEndsTheJob) {
  const auto outcome = tiny("throw");
  EXPECT_EQ(outcome.code, 65) << outcome.story();
  EXPECT_LT(outcome.seconds, 20);
  const std::string last = "rank " + std::to_string(GetParam() - 1);
  EXPECT_NE(outcome.err.find(last + ": somewhere/file.h5: dataset /id is damaged"),
            std::string::npos)
      << outcome.story();
  const auto report = run::read_report(result());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->state, "failed");
  EXPECT_EQ(report->exit_code, 65);
  EXPECT_EQ(report->rank, GetParam() - 1);
  EXPECT_EQ(report->error, "somewhere/file.h5: dataset /id is damaged");
  EXPECT_FALSE(shard::read_manifest(result()));
  EXPECT_EQ(tiny("publish").code, 0);
}

TEST_P(Program, AnErrorOutsideTheClosedSetIsInternal) { EXPECT_EQ(tiny("throw foreign").code, 70); }

TEST_P(Program, StopsAtASignalWithItsWorkSaved) {
  for (const int signal : {SIGUSR1, SIGTERM}) {
    // mpirun ends its ranks at SIGTERM by itself: there the ranks are sent it.
    Process job(command("wait"));
    ASSERT_TRUE(job.wait_for("waiting for a signal"));
    if (signal == SIGUSR1) {
      job.signal(signal);
    } else {
      for (const int pid : job.descendants()) ::kill(pid, signal);
    }
    const auto outcome = job.wait();
    EXPECT_EQ(outcome.code, 75) << outcome.story();
    EXPECT_NE(outcome.err.find("stopped early, its work is saved; to go on: evd-evaluate"),
              std::string::npos)
        << outcome.story();
    EXPECT_EQ(run::read_report(result())->state, "stopped");
  }
  EXPECT_EQ(tiny("publish").code, 0);
}

TEST_P(Program, ASecondJobIsRefused) {
  Process first(command("wait"));
  ASSERT_TRUE(first.wait_for("waiting for a signal"));
  const auto second = tiny("publish");
  EXPECT_EQ(second.code, 78) << second.story();
  EXPECT_NE(second.err.find("evaluate(start) is being run by"), std::string::npos)
      << second.story();
  first.signal(SIGUSR1);
  EXPECT_EQ(first.wait().code, 75);
}

TEST_P(Program, AKilledJobIsTakenOver) {
  Process first(command("wait"));
  ASSERT_TRUE(first.wait_for("waiting for a signal"));
  first.kill_tree();
  static_cast<void>(first.wait());
  const auto second = tiny("publish");
  EXPECT_EQ(second.code, 0) << second.story();
  EXPECT_EQ(shard::read_manifest(result())->attempt, 2);
}

TEST_P(Program, RerunIsRefusedWhileAReaderRuns) {
  ASSERT_EQ(tiny("publish").code, 0);
  // score(start) reads harvest(0) too, which this test does not have: a lease stands for it.
  auto reader = run::lease_identity({Stage::score, run::kStartRound}, "test", 1);
  write_file(root() / "leases" / "score-start.json", run::to_json(reader));
  const auto refused = tiny("publish", {"--rerun"});
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_NE(refused.err.find("its result is read by score"), std::string::npos) << refused.story();
  EXPECT_TRUE(shard::read_manifest(result()));
}

TEST_P(Program, AMissingInputIsNamedWithTheCommand) {
  const auto outcome = tiny("publish", {"--score"});
  EXPECT_EQ(outcome.code, 78) << outcome.story();
  EXPECT_NE(outcome.err.find("score(start) reads evaluate(start), which is not finished"),
            std::string::npos)
      << outcome.story();
  EXPECT_NE(outcome.err.find("first: evd-evaluate " + root().string() + " --start"),
            std::string::npos)
      << outcome.story();
}

TEST_P(Program, OnlyOperationKeysMayBeSetForARun) {
  const auto refused = tiny("publish", {"--set", "evaluate.steps=5"});
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_NE(refused.err.find("evd set"), std::string::npos) << refused.story();
  EXPECT_EQ(tiny("publish", {"--set", "evaluate.batch=5"}).code, 0);
}

// One rank leaves at a signal while the others wait for it inside the stage: no collective would
// ever end, so the job ends itself.
TEST_P(Program, RanksThatDoNotFollowASignalEndTheJob) {
  auto alone = command("lone stop");
  alone.environment["EVD_STOP_GRACE_S"] = "0.5";
  const auto outcome = test::run(alone);
  EXPECT_EQ(outcome.code, 75) << outcome.story();
  EXPECT_LT(outcome.seconds, 30);
  if (GetParam() > 1) {
    EXPECT_NE(outcome.err.find("did not follow"), std::string::npos) << outcome.story();
  }
  EXPECT_EQ(tiny("publish").code, 0);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Program, ::testing::Values(1, 2, 4),
                         [](const auto& each) { return "np" + std::to_string(each.param); });

// Without a launcher.
class Lone : public Program {};

TEST_P(Lone, UsageMistakesAreNamed) {
  const auto say = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), EVD_TINY_STAGE);
    return test::run({.arguments = arguments});
  };
  const auto unknown = say({root().string(), "--rounnd", "3"});
  EXPECT_EQ(unknown.code, 64);
  EXPECT_NE(unknown.err.find("unknown option --rounnd (did you mean --round?)"), std::string::npos)
      << unknown.story();
  EXPECT_EQ(say({root().string()}).code, 64);
  EXPECT_NE(say({root().string()}).err.find("which round?"), std::string::npos);
  EXPECT_EQ(say({root().string(), "--round", "1", "--start"}).code, 64);
  EXPECT_EQ(say({root().string(), "--round", "-2"}).code, 64);
  EXPECT_EQ(say({root().string(), "--start", "--rerun=maybe"}).code, 64);
  EXPECT_EQ(say({}).code, 64);
  const auto help = say({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* option : {"--round", "--start", "--rerun", "--accept-partial", "--set",
                             "--score", "--dump-config", "Exit codes"})
    EXPECT_NE(help.out.find(option), std::string::npos) << option << help.story();
  const auto none = say({(directory_ / "nothing").string(), "--start"});
  EXPECT_EQ(none.code, 78);
  EXPECT_NE(none.err.find("holds no campaign"), std::string::npos) << none.story();
  const auto dump = say({root().string(), "--start", "--dump-config", "--set", "evaluate.batch=7"});
  EXPECT_EQ(dump.code, 0) << dump.story();
  EXPECT_NE(dump.out.find("batch = 7\n"), std::string::npos) << dump.story();
  const auto defaults = say({"--dump-config"});
  EXPECT_EQ(defaults.code, 0) << defaults.story();
  EXPECT_NE(defaults.out.find("start_samples = 20000\n"), std::string::npos) << defaults.story();
  EXPECT_NE(say({"--start"}).err.find("DIR is missing"), std::string::npos);
}

TEST_P(Lone, RefusesALaunchThatMpiDoesNotSee) {
  auto lonely = command("publish");
  lonely.environment["SLURM_STEP_NUM_TASKS"] = "4";
  const auto outcome = test::run(lonely);
  EXPECT_EQ(outcome.code, 78) << outcome.story();
  EXPECT_NE(outcome.err.find("started as one of 4 tasks, but MPI sees 1 rank"), std::string::npos)
      << outcome.story();
}

// Saved parts of a killed attempt are good only for the inputs it began with.
TEST_P(Lone, PartsOfOtherInputsAreSetAside) {
  ASSERT_EQ(tiny("throw").code, 65);
  write_file(result() / "part.h5", "of the first attempt");
  ASSERT_EQ(tiny("throw").code, 65);
  EXPECT_TRUE(std::filesystem::exists(result() / "part.h5"));
  auto manifest = *shard::read_manifest(root() / "prompts");
  manifest.content = sha256(std::string_view("other prompts"));
  shard::publish_manifest(root() / "prompts", manifest);
  const auto outcome = tiny("publish");
  ASSERT_EQ(outcome.code, 0) << outcome.story();
  EXPECT_FALSE(std::filesystem::exists(result() / "part.h5"));
  EXPECT_TRUE(std::filesystem::exists(root() / "start" / "evaluate.retired-001" / "part.h5"));
}

TEST_P(Lone, AReadOnlyCampaignIsToldAndLeftAlone) {
  auto other = command("publish");
  other.arguments[0] = copy_for_anyone(EVD_TINY_STAGE, directory_.path());
  const auto readable = std::filesystem::perms(0555);
  std::filesystem::permissions(directory_.path(), readable);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path()))
    std::filesystem::permissions(entry.path(), readable);
  other.arguments = as_nobody(other.arguments);
  const auto outcome = test::run(other);
  EXPECT_EQ(outcome.code, 74) << outcome.story();
  EXPECT_NE(outcome.err.find("Permission denied"), std::string::npos) << outcome.story();
  EXPECT_FALSE(std::filesystem::exists(root() / "start"));
}

INSTANTIATE_TEST_SUITE_P(NoLauncher, Lone, ::testing::Values(0));

}  // namespace
}  // namespace evd::test
