#include "run/launch.hpp"

#include <map>

#include <gtest/gtest.h>
#include <unistd.h>

namespace evd::run {
namespace {

EnvironmentOf environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

TEST(Launch, WithoutALauncherNothingIsExpected) {
  EXPECT_EQ(launched_ranks(environment({})), std::nullopt);
  EXPECT_EQ(launched_rank(environment({})), 0);
  EXPECT_EQ(launch_problem(std::nullopt, 1), std::nullopt);
}

TEST(Launch, SlurmCountsTasks) {
  const auto srun = environment({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "2"}});
  EXPECT_EQ(launched_ranks(srun), 4);
  EXPECT_EQ(launched_rank(srun), 2);
  EXPECT_EQ(launch_problem(4, 4), std::nullopt);
  const auto problem = launch_problem(4, 1);
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find("--mpi=pmix"), std::string::npos);
}

// Inside an allocation mpirun starts its daemons by srun, and the ranks inherit their variables.
TEST(Launch, MpirunComesBeforeSlurm) {
  const auto both = environment({{"SLURM_STEP_NUM_TASKS", "1"},
                                 {"SLURM_PROCID", "0"},
                                 {"OMPI_COMM_WORLD_SIZE", "8"},
                                 {"OMPI_COMM_WORLD_RANK", "5"}});
  EXPECT_EQ(launched_ranks(both), 8);
  EXPECT_EQ(launched_rank(both), 5);
}

TEST(Launch, NonsenseIsNoNumber) {
  EXPECT_EQ(launched_ranks(environment({{"SLURM_STEP_NUM_TASKS", "four"}})), std::nullopt);
}

TEST(Launch, JobNamesAreUniquePerLife) {
  EXPECT_EQ(job_name(environment({{"SLURM_JOB_ID", "77"}})), "77-0");
  EXPECT_EQ(job_name(environment({{"SLURM_JOB_ID", "77"}, {"SLURM_RESTART_COUNT", "2"}})), "77-2");
  EXPECT_NE(job_name(environment({})).find("-" + std::to_string(getpid()) + "-0"),
            std::string::npos);
}

}  // namespace
}  // namespace evd::run
