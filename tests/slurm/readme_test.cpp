// The README's page "On your cluster", as typed, on the test cluster.
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;

// The shell blocks below a second-level heading.
std::vector<std::string> shell_blocks(const std::string& heading) {
  std::istringstream lines(read_file(source_directory() / "README.md"));
  std::vector<std::string> blocks;
  bool here = false;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (!inside && line.starts_with("## ")) here = line == "## " + heading;
    if (line.starts_with("```")) {
      inside = !inside && here && line == "```sh";
      if (inside) blocks.emplace_back();
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

// The prompt file of the page before.
std::string prompts() {
  for (const auto& block : shell_blocks("Your own prompts")) {
    const auto begin = block.find("cat > my.txt");
    const auto end = block.find("\nTXT\n");
    if (begin != std::string::npos && end != std::string::npos)
      return block.substr(begin, end + 5 - begin);
  }
  return "exit 1";
}

TEST(Readme, OnYourCluster) {
  ASSERT_NE(std::getenv("EVD_TEST_CLUSTER"), nullptr) << "start it by tests/slurm/with_cluster.sh";
  const TempDir home;
  stdfs::create_directory_symlink(source_directory() / "configs", home / "configs");
  const stdfs::path bin = stdfs::path(program("evd")).parent_path();
  stdfs::create_directories(home / "build");
  stdfs::create_directory_symlink(bin.parent_path(), home / "build/release");
  const auto blocks = shell_blocks("On your cluster");
  ASSERT_EQ(blocks.size(), 3U);
  const auto type = [&](const std::string& code) {
    const Finished end = run({{"bash", "-euo", "pipefail", "-c", code},
                              {{"PATH", bin.string() + ":" + std::getenv("PATH")}},
                              home.path(),
                              600});
    EXPECT_EQ(end.code, 0) << code << end.story();
    return end.out;
  };
  type(prompts());
  for (const auto& block : blocks) {
    type(block);
    // What a user does by looking at evd status from time to time.
    type("until [ -z \"$(squeue --noheader)\" ]; do sleep 0.2; done");
    const std::string status = type("evd status cluster-campaign");
    for (const char* word : {" failed: ", " stale: ", " killed: ", " stopped: ", "cancelled by"})
      EXPECT_EQ(status.find(word), std::string::npos) << block << status;
  }
  EXPECT_TRUE(stdfs::exists(home / "cluster-campaign/rounds/0001/score/MANIFEST.json"));
  EXPECT_TRUE(stdfs::exists(home / "cluster-campaign/rounds/0000/judge.retired-001"));
  EXPECT_TRUE(stdfs::exists(home / "cluster-campaign/rounds/0001/train.retired-001"));
}

}  // namespace
}  // namespace evd::test
