// cmake --install gives a prefix whose programs start and whose scripts find each other.
#include <filesystem>
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace {

using evd::test::run;

TEST(Install, GivesProgramsThatStart) {
  const evd::test::TempDir prefix;
  const auto install = run({.arguments = {EVD_CMAKE, "--install", EVD_BUILD_DIRECTORY, "--prefix",
                                          prefix.path().string()}});
  ASSERT_EQ(install.code, 0) << install.story();
  for (const std::string name :
       {"evd", "evd-harvest", "evd-judge", "evd-train", "evd-evaluate", "evd-rehearsal"}) {
    const auto help = run({.arguments = {prefix / ("bin/" + name), "--help"},
                           .environment = {{"LD_LIBRARY_PATH", ""}, {"LD_PRELOAD", ""}}});
    EXPECT_EQ(help.code, 0) << name << ": " << help.story();
  }
}

TEST(Install, BringsWhatProgramsAndSlurmRead) {
  const evd::test::TempDir prefix;
  const auto install = run({.arguments = {EVD_CMAKE, "--install", EVD_BUILD_DIRECTORY, "--prefix",
                                          prefix.path().string()}});
  ASSERT_EQ(install.code, 0) << install.story();
  for (const std::string file :
       {"slurm/harvest.sbatch", "slurm/judge.sbatch", "slurm/train.sbatch", "slurm/evaluate.sbatch",
        "slurm/stage.sh", "configs/rehearsal.toml", "configs/sites/local.toml"}) {
    EXPECT_TRUE(std::filesystem::exists(prefix / ("share/evolvedirector/" + file))) << file;
    EXPECT_TRUE(
        std::filesystem::exists(std::string(EVD_BUILD_DIRECTORY) + "/share/evolvedirector/" + file))
        << "the build directory serves as a prefix too: " << file;
  }
  for (const std::string file : {"FORMAT.md", "README.md", "LICENSE"})
    EXPECT_TRUE(std::filesystem::exists(prefix / ("share/doc/evolvedirector/" + file))) << file;
}

// The others' evd-train could not load it.
TEST(Install, WarnsWhenLibTorchLiesInAHomeDirectory) {
  const evd::test::TempDir top;
  const auto says_home = [&](const std::string& prefix) {
    const auto install =
        run({.arguments = {EVD_CMAKE, "--install", EVD_BUILD_DIRECTORY, "--prefix", prefix},
             .environment = {{"DESTDIR", top.path().string()}}});
    EXPECT_EQ(install.code, 0) << install.story();
    // CMake breaks the lines of a warning where it likes.
    const std::string said = std::regex_replace(install.err, std::regex("\\s+"), " ");
    return said.find("lies in a home directory") != std::string::npos;
  };
  const std::string home = EVD_HOME;
  const bool is_private = std::string(EVD_TORCH_DIRECTORY).starts_with(home + "/");
  EXPECT_EQ(says_home("/opt/evolvedirector"), is_private);
  EXPECT_FALSE(says_home(home + "/evolvedirector")) << "who installs for himself can read it";
}

}  // namespace
