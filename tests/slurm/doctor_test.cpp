// evd doctor under a real Slurm, started by with_cluster.sh: two nodes, a rank on each.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

class Doctor : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(std::getenv("EVD_TEST_CLUSTER"), nullptr)
        << "start it by tests/slurm/with_cluster.sh";
  }
  [[nodiscard]] Finished doctor(const std::string& site) const {
    write_file(directory_ / "site.toml", site);
    std::filesystem::create_directories(directory_ / "place");
    return run({.arguments = {program("evd"), "doctor", (directory_ / "place").string(), "--site",
                              (directory_ / "site.toml").string()},
                .timeout_s = 240});
  }
  TempDir directory_;
};

const char* const kSite =
    "nodes = \"2\"\nntasks = \"2\"\nntasks_per_node = \"1\"\ncpus_per_task = \"1\"\n"
    "time = \"00:10:00\"\n";

TEST_F(Doctor, TwoNodesAreWellAndMistakesAreNamed) {
  const Finished well = doctor(std::string("partition = \"main\"\nmpi = \"pmix\"\n") + kSite);
  EXPECT_EQ(well.code, 0) << well.story();
  for (const char* said : {"one world of 2 ranks on 2 nodes", "srun knows the plug-in pmix",
                           "ok       [train]", "ok       [score]", "see new and changed files"})
    EXPECT_NE(well.out.find(said), std::string::npos) << said << well.story();
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "place")) << "something was left over";

  const Finished wrong = doctor(std::string("partition = \"mian\"\nmpi = \"pmix\"\n") + kSite);
  EXPECT_EQ(wrong.code, 78) << wrong.story();
  EXPECT_NE(wrong.out.find("did you mean main?"), std::string::npos) << wrong.story();

  const Finished too_large =
      doctor("partition = \"main\"\nmpi = \"pmix\"\nnodes = \"3\"\nntasks = \"3\"\n");
  EXPECT_EQ(too_large.code, 78) << too_large.story();
  EXPECT_NE(too_large.out.find("sbatch would not take it"), std::string::npos) << too_large.story();

  // A plug-in that this MPI does not speak: it says so, and its words are passed on. Of two ranks
  // the first to fail might end the other in the middle of them.
  const Finished alone = doctor(
      "partition = \"main\"\nmpi = \"none\"\nnodes = \"1\"\nntasks = \"1\"\n"
      "ntasks_per_node = \"1\"\ncpus_per_task = \"1\"\ntime = \"00:10:00\"\n");
  EXPECT_EQ(alone.code, 78) << alone.story();
  EXPECT_NE(alone.out.find("PMI support"), std::string::npos) << alone.story();
  EXPECT_NE(alone.out.find("see mpi (`srun --mpi=list`"), std::string::npos) << alone.story();
}

}  // namespace
}  // namespace evd::test
