#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "rehearsal/language.hpp"
#include "run/config.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::rehearsal {
namespace {

test::Finished command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), test::program("evd-rehearsal"));
  return test::run({.arguments = arguments});
}

std::set<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

TEST(Prompts, AreDistinctAndOfTheLanguage) {
  for (const std::string kind : {"start", "heldout"}) {
    const auto finished = command({"prompts", "--kind", kind, "--count", "2000", "--seed", "5"});
    ASSERT_EQ(finished.code, 0) << finished.story();
    const auto lines = lines_of(finished.out);
    EXPECT_EQ(lines.size(), 2000U);
    for (const auto& line : lines) EXPECT_TRUE(parse_prompt(line).has_value()) << line;
  }
  EXPECT_EQ(command({"prompts", "--kind", "middle"}).code, 64);
}

// The shipped files are what the command in the configuration's head makes.
TEST(Prompts, ShippedFilesAreCurrent) {
  const auto configs = test::source_directory() / "configs";
  EXPECT_EQ(command({"prompts", "--kind", "start", "--count", "1200", "--seed", "1"}).out,
            test::read_file(configs / "prompts-rehearsal.txt"));
  EXPECT_EQ(command({"prompts", "--kind", "heldout", "--count", "320", "--seed", "1"}).out,
            test::read_file(configs / "heldout-rehearsal.txt"));
}

TEST(Configuration, ShippedOneIsReadAndFitsTheLanguage) {
  const auto file = test::source_directory() / "configs" / "rehearsal.toml";
  const run::Config config = run::parse_config(test::read_file(file), file.string());
  EXPECT_TRUE(config.rehearsal.enabled);
  EXPECT_EQ(config.teachers.size(), 4U);
  // A patch has to fit into a token, or grain stays in every picture.
  EXPECT_GE(config.network.width,
            config.network.channels * config.network.patch * config.network.patch);
}

TEST(Hands, PaintAndRead) {
  const test::TempDir directory;
  const std::string prompt = "the word CAT in green letters above two small red circles";
  const std::string file = (directory / "picture.png").string();
  auto finished =
      command({"paint", "--prompt", prompt, "--teacher", "glyph", "--size", "64", "--out", file});
  ASSERT_EQ(finished.code, 0) << finished.story();
  finished = command({"read", file, "--prompt", prompt});
  ASSERT_EQ(finished.code, 0) << finished.story();
  EXPECT_NE(finished.out.find("lettering"), std::string::npos);
  EXPECT_NE(finished.out.find("yardstick"), std::string::npos);
  EXPECT_EQ(command({"read", file, "--prompt", "a cat on a mat"}).code, 65);
  EXPECT_EQ(command({"read", (directory / "none.png").string(), "--prompt", prompt}).code, 74);
  EXPECT_EQ(command({"paint", "--prompt", prompt, "--teacher", "nobody", "--out", file}).code, 64);
  EXPECT_EQ(command({"measure", directory.path().string()}).code, 78);
}

}  // namespace
}  // namespace evd::rehearsal
