#include <csignal>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "run/lease.hpp"
#include "support/process_tree.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

class Run : public ::testing::Test {
 protected:
  [[nodiscard]] static Command command(const TinyCampaign& campaign, int rounds,
                                       std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {
        program("evd"), "run", campaign.path().string(), "--rounds", std::to_string(rounds),
        "--ranks",      "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {.arguments = arguments, .timeout_s = 300};
  }
  [[nodiscard]] static std::size_t logs_of(const TinyCampaign& campaign) {
    std::size_t logs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(campaign.path() / "logs"))
      logs += entry.path().extension() == ".log" ? 1 : 0;
    return logs;
  }
  // 36 pictures, two at a time: whoever is stopped at the first ones has work left.
  [[nodiscard]] static std::vector<std::string> slow_services(int latency_ms) {
    return {"teacher.aurora.max_in_flight=1", "teacher.glyph.max_in_flight=1",
            "rehearsal.latency_ms=" + std::to_string(latency_ms)};
  }
  // The rest of the chain, at full speed.
  static void expect_goes_on(const TinyCampaign& campaign) {
    ASSERT_EQ(campaign.evd("set", {"rehearsal.latency_ms=0"}).code, 0);
    const auto rest = test::run(command(campaign, 1));
    EXPECT_EQ(rest.code, 0) << rest.story();
  }
  // Waits for a file of the campaign to appear: how far the chain is.
  [[nodiscard]] static bool wait_for_file(Process& job, const std::filesystem::path& file) {
    while (job.running())
      if (std::filesystem::exists(file)) return true;
    return std::filesystem::exists(file);
  }
};

TEST_F(Run, PrintsALineForEachStageAndPassesOverWhatIsDone) {
  const TinyCampaign campaign;
  const auto first = test::run(command(campaign, 1));
  ASSERT_EQ(first.code, 0) << first.story();
  for (const char* stage : {"harvest(0)", "evaluate(start)", "score(start)", "judge(0)", "train(0)",
                            "evaluate(0)", "score(0)"})
    EXPECT_NE(first.out.find(stage), std::string::npos) << stage << first.story();
  const auto again = test::run(command(campaign, 1));
  ASSERT_EQ(again.code, 0) << again.story();
  std::size_t done = 0;
  for (std::size_t at = 0; (at = again.out.find("was done", at)) != std::string::npos; ++at) ++done;
  EXPECT_EQ(done, 7U) << again.story();
  EXPECT_EQ(logs_of(campaign), 7U) << "one log for each stage that ran";
}

TEST_F(Run, AStaleStageIsRedoneOnlyWhenAsked) {
  const TinyCampaign campaign;
  campaign.run(1);
  ASSERT_EQ(campaign.evd("set", {"train.lr=0.001", "--from", "0"}).code, 0);
  const auto refused = test::run(command(campaign, 1));
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_NE(refused.err.find("train(0) is stale: train.lr was 0.002, is now 0.001"),
            std::string::npos)
      << refused.story();
  EXPECT_NE(refused.err.find("--redo-stale"), std::string::npos) << refused.story();
  const auto status = campaign.evd("status");
  EXPECT_NE(status.out.find("train(0) stale: train.lr was"), std::string::npos) << status.story();
  const auto redone = test::run(command(campaign, 1, {"--redo-stale"}));
  ASSERT_EQ(redone.code, 0) << redone.story();
  EXPECT_TRUE(std::filesystem::exists(campaign.path() / "rounds/0000/train.retired-001"));
  EXPECT_FALSE(std::filesystem::exists(campaign.path() / "rounds/0000/judge.retired-001"));
  EXPECT_EQ(campaign.evd("status").out.find("stale"), std::string::npos);
}

// Ctrl-C and SIGTERM: what runs is saved, exit code 75, and the same command goes on.
class Signal : public Run, public ::testing::WithParamInterface<int> {};

TEST_P(Signal, SavesAndGoesOn) {
  const TinyCampaign campaign(slow_services(1000));
  Process job(command(campaign, 1));
  ASSERT_TRUE(wait_for_file(job, campaign.path() / "leases/harvest-0000.progress.json"));
  job.signal(GetParam());
  const auto stopped = job.wait();
  EXPECT_EQ(stopped.code, 75) << stopped.story();
  EXPECT_NE(stopped.err.find("type the same command again"), std::string::npos) << stopped.story();
  EXPECT_FALSE(std::filesystem::exists(campaign.path() / "rounds/0000/harvest/MANIFEST.json"));
  const auto status = campaign.evd("status");
  EXPECT_NE(status.out.find("harvest(0) stopped"), std::string::npos) << status.story();
  expect_goes_on(campaign);
}

INSTANTIATE_TEST_SUITE_P(Both, Signal, ::testing::Values(SIGINT, SIGTERM));

TEST_F(Run, ASecondInterruptEndsAtOnceAndLosesNothing) {
  const TinyCampaign campaign(slow_services(5000));
  Process job(command(campaign, 1));
  ASSERT_TRUE(wait_for_file(job, campaign.path() / "leases/harvest-0000.progress.json"));
  job.signal(SIGINT);
  // mpirun, its ranks, their services: they have five seconds to wait for a picture.
  const auto below = job.descendants();
  EXPECT_GE(below.size(), 3U);
  // The first one is being handled once the ranks know of it; a second at any time must do.
  job.signal(SIGTERM);
  const auto ended = job.wait();
  EXPECT_EQ(ended.code, 130) << ended.story();
  for (const pid_t process : below) EXPECT_TRUE(ends(process)) << process;
  const auto status = campaign.evd("status");
  EXPECT_EQ(status.out.find("running"), std::string::npos) << status.story();
  expect_goes_on(campaign);
}

// kill -9 of `evd run` alone: the ranks are told to save and leave, and nothing runs on unseen.
TEST_F(Run, ItsDeathEndsTheJob) {
  const TinyCampaign campaign(slow_services(1000));
  const auto lease = campaign.path() / "leases/harvest-0000.json";
  Process job(command(campaign, 1));
  ASSERT_TRUE(wait_for_file(job, campaign.path() / "leases/harvest-0000.progress.json"));
  ::kill(job.pid(), SIGKILL);
  static_cast<void>(job.wait());
  const double begun_s = monotonic_s();
  while (!run::read_lease(lease)->released && monotonic_s() - begun_s < 60)
    std::this_thread::yield();
  EXPECT_TRUE(run::read_lease(lease)->released);
  EXPECT_NE(campaign.evd("status").out.find("harvest(0) stopped"), std::string::npos);
}

// Looking needs no right to write; running says at once what is missing.
TEST_F(Run, AReadOnlyCampaignMayBeLookedAt) {
  const TinyCampaign campaign;
  const auto top = campaign.path().parent_path();
  const auto evd = copy_for_anyone(program("evd"), top);
  const auto set_mode = [&](int mode) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top))
      std::filesystem::permissions(entry.path(), std::filesystem::perms(mode));
    std::filesystem::permissions(top, std::filesystem::perms(mode));
  };
  set_mode(0555);
  const auto as_other = [&](const char* verb) {
    return test::run({.arguments = as_nobody({evd, verb, campaign.path().string()})});
  };
  const auto status = as_other("status");
  EXPECT_EQ(status.code, 0) << status.story();
  const auto verify = as_other("verify");
  EXPECT_EQ(verify.code, 0) << verify.story();
  const auto run = as_other("run");
  EXPECT_EQ(run.code, 74) << run.story();
  EXPECT_NE(run.err.find("write into the campaign"), std::string::npos) << run.story();
  EXPECT_NE(run.err.find("Permission denied"), std::string::npos) << run.story();
  set_mode(0755);
}

TEST_F(Run, AFailureNamesStageReasonAndLog) {
  const TinyCampaign campaign;
  const auto set = campaign.path() / "prompts/set.h5";
  const auto whole = read_file(set);
  write_file(set, whole.substr(0, whole.size() / 2));
  const auto failed = test::run(command(campaign, 1));
  EXPECT_EQ(failed.code, 65) << failed.story();
  EXPECT_NE(failed.err.find("harvest(0) failed (exit code 65): rank"), std::string::npos)
      << failed.story();
  EXPECT_NE(failed.err.find("set.h5"), std::string::npos) << failed.story();
  EXPECT_NE(failed.err.find("logs/harvest-0000-"), std::string::npos) << failed.story();
  EXPECT_NE(campaign.evd("status").out.find("harvest(0) failed: rank"), std::string::npos);
  write_file(set, whole);
  const auto good = test::run(command(campaign, 1));
  EXPECT_EQ(good.code, 0) << good.story();
}

TEST_F(Run, TimesShowTheLoopsOwnShare) {
  const TinyCampaign campaign;
  ASSERT_EQ(test::run(command(campaign, 1, {"--times"})).code, 0);
  const auto status = campaign.evd("status", {"--times"});
  ASSERT_EQ(status.code, 0) << status.story();
  EXPECT_NE(status.out.find("overhead"), std::string::npos) << status.story();
  EXPECT_NE(status.out.find("timed by evd run --times"), std::string::npos) << status.story();
}

// An mpirun that sends SIGTERM to `evd run` from within its first empty program.
TEST_F(Run, AStopWhileLaunchesAreTimedStartsNoStage) {
  const TinyCampaign campaign;
  const TempDir directory;
  const auto fake = directory / "mpirun";
  write_file(fake,
             "#!/bin/sh\n"
             "[ \"$1\" = --version ] && { echo 'Open MPI'; exit; }\n"
             "trap '' USR1\nkill -TERM \"$PPID\"\n");
  std::filesystem::permissions(fake, std::filesystem::perms(0755));
  auto timed = command(campaign, 1, {"--times"});
  timed.environment["EVD_MPIRUN"] = fake.string();
  const auto stopped = test::run(timed);
  EXPECT_EQ(stopped.code, 75) << stopped.story();
  EXPECT_NE(stopped.err.find("type the same command again"), std::string::npos) << stopped.story();
  EXPECT_EQ(stopped.out, "");
  EXPECT_EQ(logs_of(campaign), 0U);
}

}  // namespace
}  // namespace evd::test
