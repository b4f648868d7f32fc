// tools/quickstart as typed, on a campaign of a dozen prompts.
#include <filesystem>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

namespace fs = std::filesystem;

TEST(Quickstart, RunsTheLoopAndGoesOnWhereItStopped) {
  const TempDir directory;
  write_file(directory / "prompts.txt",
             "a red circle\na blue square\na green triangle\nthe word CAT in red letters\n"
             "a person in a red shirt waving\ntwo green circles\n");
  write_file(directory / "heldout.txt", "a blue circle\nthe word DOG in green letters\n");
  // Names are relative to where the user stands.
  const auto quickstart = [&](const std::string& rounds) {
    return run(
        {.arguments = {(source_directory() / "tools/quickstart").string(), "campaign", "--config",
                       (source_directory() / "tests/support/tiny.toml").string(), "--prompts",
                       "prompts.txt", "--heldout", "heldout.txt", "--rounds", rounds, "--ranks",
                       "2", "--bin", fs::path(program("evd")).parent_path().string()},
         .directory = directory.path(),
         .timeout_s = 280});
  };
  const auto first = quickstart("1");
  ASSERT_EQ(first.code, 0) << first.story();
  EXPECT_EQ(first.out.find("== set-up and build"), std::string::npos) << first.story();
  EXPECT_NE(first.out.find("Alignment of held-out renders"), std::string::npos) << first.story();
  const auto campaign = directory / "campaign";
  EXPECT_NE(first.out.find("report: " + (campaign / "report.html").string()), std::string::npos)
      << first.story();
  for (const char* file :
       {"report.html", "metrics/yardstick.h5", "rounds/0000/score/MANIFEST.json"})
    EXPECT_TRUE(fs::exists(campaign / file)) << file;

  const auto manifest = read_file(campaign / "rounds/0000/train/MANIFEST.json");
  const auto second = quickstart("2");
  ASSERT_EQ(second.code, 0) << second.story();
  EXPECT_NE(second.out.find("goes on where it stopped"), std::string::npos) << second.story();
  EXPECT_TRUE(fs::exists(campaign / "rounds/0001/evaluate/MANIFEST.json"));
  EXPECT_EQ(read_file(campaign / "rounds/0000/train/MANIFEST.json"), manifest);
}

TEST(Quickstart, AFileThatIsNotThereIsNamed) {
  const TempDir directory;
  const auto done = run({.arguments = {(source_directory() / "tools/quickstart").string(),
                                       "--config", "missing.toml"},
                         .directory = directory.path()});
  EXPECT_EQ(done.code, 74) << done.story();
  EXPECT_NE(done.err.find("missing.toml is not there"), std::string::npos) << done.story();
}

}  // namespace
}  // namespace evd::test
