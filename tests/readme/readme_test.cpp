#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "run/config.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin =
    "<!-- configuration: bin/readme_test --update writes this table -->\n";
constexpr std::string_view kEnd = "<!-- end of configuration -->";

fs::path readme() { return source_directory() / "README.md"; }

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The README with the table that the options give.
std::string with_current_table(const std::string& text) {
  const auto begin = text.find(kBegin) + kBegin.size();
  const auto end = text.find(kEnd);
  return text.substr(0, begin) + run::config_markdown() + text.substr(end);
}

struct Block {
  std::string language;
  std::string heading;
  std::string code;
};

// Fenced blocks with the second-level heading that they stand under.
std::vector<Block> blocks(const std::string& text) {
  std::vector<Block> found;
  std::istringstream lines(text);
  std::string line;
  std::string heading;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("```")) {
      if (!inside) found.push_back({line.substr(3), heading, ""});
      inside = !inside;
    } else if (inside) {
      found.back().code += line + "\n";
    } else if (line.starts_with("## ")) {
      heading = line.substr(3);
    }
  }
  return found;
}

TEST(Readme, ConfigurationTableIsCurrent) {
  const std::string text = content(readme());
  EXPECT_EQ(text, with_current_table(text)) << "run bin/readme_test --update";
}

TEST(Readme, RealServicesAndEncodersAreConfigurations) {
  int services = 0;
  int encoders = 0;
  for (const auto& block : blocks(content(readme()))) {
    if (block.language != "toml") continue;
    const auto config = run::parse_config(block.code, "README.md");
    if (config.teachers.empty()) {
      EXPECT_TRUE(config.has_t5() && config.has_vae()) << block.code;
      ++encoders;
      continue;
    }
    EXPECT_NO_THROW(run::require_services(config)) << block.code;
    EXPECT_FALSE(config.teachers.front().key_env.empty());
    ++services;
  }
  EXPECT_EQ(services, 1);
  EXPECT_EQ(encoders, 1);
}

// Every shell and Python example from the user's own prompts to the data, in reading order, as
// typed.
TEST(Readme, ExamplesRun) {
  const TempDir home;
  fs::create_directory_symlink(source_directory() / "configs", home / "configs");
  fs::create_directory_symlink(source_directory() / "build", home / "build");
  const fs::path bin = fs::path(program("evd")).parent_path();
  const std::string path = bin.string() + ":" + std::getenv("PATH");
  // Pictures that one has already, for the example of importing them.
  ASSERT_EQ(run({{program("evd-rehearsal"), "paint", "--prompt", "a red circle", "--teacher",
                  "aurora", "--out", (home / "circle.png").string()}})
                .code,
            0);
  fs::create_directory(home / "folder");
  fs::rename(home / "circle.png", home.path() / "folder/circle.png");
  write_file(home / "captions.csv", "file,caption\ncircle.png,a red circle\n");

  int ran = 0;
  for (const auto& block : blocks(content(readme()))) {
    const bool wanted = block.heading == "Your own prompts" || block.heading == "The data" ||
                        block.heading == "A stage again, or by hand" ||
                        block.heading == "Ask your data";
    if (!wanted || (block.language != "sh" && block.language != "python")) continue;
    std::string code = block.code;
    // The environment already names this build's programs; a second campaign needs its own name.
    if (const auto at = code.find("export PATH"); at != std::string::npos)
      code.erase(at, code.find('\n', at) + 1 - at);
    if (code.starts_with("evd import my-campaign"))
      code.replace(0, std::strlen("evd import my-campaign"), "evd import imported-campaign");
    const std::vector<std::string> arguments =
        block.language == "sh" ? std::vector<std::string>{"bash", "-euo", "pipefail", "-c", code}
                               : std::vector<std::string>{test_python(), "-c", code};
    const Finished finished = run(
        {arguments,
         {{"PATH", path}, {"OMPI_ALLOW_RUN_AS_ROOT", ""}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", ""}},
         home.path(),
         400});
    EXPECT_EQ(finished.code, 0) << block.code << finished.story();
    ++ran;
  }
  EXPECT_GE(ran, 15);
}

}  // namespace
}  // namespace evd::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::strcmp(argv[1], "--update") == 0) {
    const std::string updated =
        evd::test::with_current_table(evd::test::content(evd::test::readme()));
    evd::test::write_file(evd::test::readme(), updated);
    return 0;
  }
  return RUN_ALL_TESTS();
}
