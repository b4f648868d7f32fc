// Ranks of evd-train that are stopped or killed: the job ends by itself, in time, with the number.
#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>

#include "support/process.hpp"
#include "support/process_tree.hpp"
#include "support/temp_dir.hpp"
#include "train/judged_campaign.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;

/// The process of one rank, by what Open MPI tells it; 0 when there is none.
pid_t process_of(const Process& job, int rank) {
  const std::string wanted = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  for (const pid_t pid : job.descendants()) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
    for (std::string word; std::getline(file, word, '\0');) {
      if (word == wanted) return pid;
    }
  }
  return 0;
}

class HangingJob : public testing::Test {
 protected:
  HangingJob() {
    make_judged_campaign(campaign, {"train.steps_per_round=100000", "train.checkpoint_every=20"});
  }
  /// A job of three ranks that has saved a first checkpoint.
  std::unique_ptr<Process> begin() {
    auto job = std::make_unique<Process>(
        Command{mpirun(3, {program("evd-train"), campaign.string(), "--round", "0", "--set",
                           "train.step_limit_s=8", "--set", "train.phase_limit_s=12"}),
                {},
                {},
                300});
    const auto state = campaign / "rounds/0000/train/state";
    while (job->running() && !holds_index(state)) std::this_thread::yield();
    return job;
  }
  static bool holds_index(const stdfs::path& state) {
    std::error_code gone;
    for (const auto& entry : stdfs::directory_iterator(state, gone)) {
      if (stdfs::exists(entry.path() / "index.json", gone)) return true;
    }
    return false;
  }
  void expect_ends_with_number(int rank) {
    const auto job = begin();
    const pid_t pid = process_of(*job, rank);
    ASSERT_GT(pid, 0) << job->wait().story();
    ASSERT_EQ(::kill(pid, SIGSTOP), 0);
    const auto ended = job->wait();
    EXPECT_FALSE(ended.timed_out) << ended.story();
    EXPECT_EQ(ended.code, 75) << ended.story();
    EXPECT_NE(ended.err.find("the job hangs"), std::string::npos) << ended.story();
    EXPECT_NE(ended.err.find("rank " + std::to_string(rank) + " does not move"), std::string::npos)
        << ended.story();
    EXPECT_TRUE(ends(pid)) << "the stopped rank lives on";
  }
  TempDir folder;
  stdfs::path campaign = folder / "campaign";
};

TEST_F(HangingJob, RankZeroIsStopped) { expect_ends_with_number(0); }

TEST_F(HangingJob, AnotherRankIsStopped) { expect_ends_with_number(2); }

TEST_F(HangingJob, AKilledRankEndsTheJobAtOnceAndItGoesOn) {
  const auto job = begin();
  const pid_t pid = process_of(*job, 1);
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  const auto ended = job->wait();
  EXPECT_FALSE(ended.timed_out) << ended.story();
  EXPECT_NE(ended.code, 0) << ended.story();
  const auto again = begin();
  EXPECT_TRUE(again->wait_for("goes on at step", 120)) << again->err_so_far();
  again->kill_tree();
  (void)again->wait();
}

}  // namespace
}  // namespace evd::test
