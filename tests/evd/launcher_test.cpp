#include "launcher.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace evd::hands {
namespace {

// Left pending, the signal would end the process when the runner goes and unblocks it.
TEST(JobRunner, AStopBetweenTwoJobsIsTaken) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    JobRunner runner;
    EXPECT_FALSE(runner.take_stop());
    std::raise(signal);
    std::raise(SIGTERM);
    EXPECT_TRUE(runner.take_stop());
    EXPECT_FALSE(runner.take_stop());
  }
}

TEST(JobRunner, AStopDuringAJobIsToldToTheJob) {
  JobRunner runner;
  const auto end = runner.run(
      {.command = {"sh", "-c", "trap 'exit 75' USR1; kill -TERM $PPID; while :; do :; done"},
       .environment = {},
       .log = "/dev/null",
       .every = {}});
  EXPECT_TRUE(end.told_to_stop);
  EXPECT_FALSE(end.killed);
  EXPECT_EQ(end.code, 75);
  EXPECT_FALSE(runner.take_stop());
}

}  // namespace
}  // namespace evd::hands
