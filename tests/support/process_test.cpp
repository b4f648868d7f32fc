#include "support/process.hpp"

#include <csignal>

#include <gtest/gtest.h>

#include "support/process_tree.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

Command shell(const std::string& script) { return {.arguments = {"/bin/sh", "-c", script}}; }

TEST(Process, KeepsTheStreamsAndTheExitCodeApart) {
  const auto outcome = run(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  EXPECT_FALSE(outcome.timed_out);
}

TEST(Process, ADeathBySignalIsTold) { EXPECT_EQ(run(shell("kill -KILL $$")).signal, SIGKILL); }

TEST(Process, AMissingProgramIs127) {
  EXPECT_EQ(run({.arguments = {"/no/such/program"}}).code, 127);
}

TEST(Process, EnvironmentIsAddedAndTakenAway) {
  Command command = shell("echo ${EVD_A-unset}");
  command.environment = {{"EVD_A", "1"}};
  EXPECT_EQ(run(command).out, "1\n");
  command = shell("echo ${HOME-unset}");
  command.environment = {{"HOME", ""}};
  EXPECT_EQ(run(command).out, "unset\n");
}

TEST(Process, StartsWhereItIsTold) {
  const TempDir directory;
  Command command = shell("pwd -P");
  command.directory = directory.path();
  EXPECT_EQ(run(command).out, std::filesystem::canonical(directory.path()).string() + "\n");
}

TEST(Process, LongInputAndOutputDoNotBlockEachOther) {
  Command command{.arguments = {"cat"}};
  command.input = std::string(3'000'000, 'x');
  EXPECT_EQ(run(command).out, command.input);
}

TEST(Process, InputThatNobodyReadsIsNoError) {
  Command command = shell("exit 3");
  command.input = std::string(3'000'000, 'x');
  EXPECT_EQ(run(command).code, 3);
}

TEST(Process, ALimitEndsTheWholeTree) {
  Command command = shell("sleep 1000 & echo $!; wait");
  command.timeout_s = 0.5;
  Process process(command);
  ASSERT_TRUE(process.wait_for("\n"));
  const auto below = process.descendants();
  ASSERT_EQ(below.size(), 1U);
  const auto outcome = process.wait();
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_LT(outcome.seconds, 30);
  EXPECT_EQ(outcome.out, std::to_string(below[0]) + "\n");
  EXPECT_TRUE(ends(below[0]));
}

TEST(Process, TheLivingDoNotEnd) {
  Process process({.arguments = {"sleep", "1000"}});
  EXPECT_FALSE(ends(process.pid(), 0.1));
  process.signal(SIGKILL);
  EXPECT_TRUE(ends(process.pid()));
}

TEST(Process, WaitForSeesTextAndSignalsArrive) {
  Process process(
      shell("trap 'echo caught; exit 75' USR1; echo ready; while :; do sleep 0.01; done"));
  ASSERT_TRUE(process.wait_for("ready"));
  process.signal(SIGUSR1);
  const auto outcome = process.wait();
  EXPECT_EQ(outcome.code, 75);
  EXPECT_EQ(outcome.out, "ready\ncaught\n");
}

TEST(Process, WaitForEndsWithTheProcess) {
  Process process(shell("echo something else"));
  EXPECT_FALSE(process.wait_for("ready"));
}

TEST(Process, MpirunStartsSoManyRanks) {
  const auto outcome = run({.arguments = mpirun(3, {"/bin/echo", "rank"})});
  EXPECT_EQ(outcome.code, 0) << outcome.story();
  EXPECT_EQ(outcome.out, "rank\nrank\nrank\n");
}

}  // namespace
}  // namespace evd::test
