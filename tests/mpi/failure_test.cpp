// How MPI jobs end when something goes wrong: with a message, an exit code, and within seconds.
#include <string>

#include <gtest/gtest.h>

#include "support/process.hpp"

namespace {

using evd::test::Finished;
using evd::test::mpirun;

Finished start(const std::string& program, const std::vector<std::string>& arguments, int ranks,
               const std::string& limit_s = "20") {
  std::vector<std::string> all = {std::string(EVD_MPI_PROGRAMS) + "/mpi_" + program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return evd::test::run({.arguments = mpirun(ranks, all),
                         .environment = {{"EVD_TEST_LIMIT_S", limit_s}},
                         .timeout_s = 40});
}

class OneRank : public testing::TestWithParam<const char*> {};

TEST_P(OneRank, ThrowsAndTheJobEndsWithinSeconds) {
  const auto end = start("throws", {GetParam()}, 3);
  EXPECT_FALSE(end.timed_out) << end.story();
  EXPECT_LT(end.seconds, 15);
  EXPECT_EQ(end.code, 65) << end.story();
  EXPECT_NE(end.err.find("rank 1: set.h5: /prompt is damaged"), std::string::npos) << end.story();
}

INSTANTIATE_TEST_SUITE_P(WhileOthersWait, OneRank, testing::Values("barrier", "fence", "poll"),
                         [](const auto& wait) { return std::string(wait.param); });

TEST(RankThrows, AnUncaughtExceptionEndsTheJobToo) {
  const auto end = start("throws", {"uncaught"}, 2);
  EXPECT_FALSE(end.timed_out) << end.story();
  EXPECT_LT(end.seconds, 15);
  EXPECT_NE(end.code, 0) << end.story();
}

TEST(MpiTestMain, AHangEndsWithTheNameOfTheTest) {
  const auto end = start("hangs", {}, 2, "1");
  EXPECT_FALSE(end.timed_out) << end.story();
  EXPECT_NE(end.code, 0);
  EXPECT_NE(end.err.find("Watched.Hangs hangs"), std::string::npos) << end.story();
}

TEST(MpiTestMain, AFailureOnOneRankFailsTheJob) {
  const auto end = start("empty", {}, 2);
  EXPECT_NE(end.code, 0) << end.story();
  EXPECT_NE(end.err.find("rank 1: "), std::string::npos) << end.story();
}

TEST(MpiTestMain, NoTestRunIsAFailure) {
  const auto end = start("empty", {"--gtest_filter=Nothing.*"}, 2);
  EXPECT_NE(end.code, 0) << end.story();
}

}  // namespace
