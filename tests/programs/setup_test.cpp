// tools/setup on machines that lack something: it says what, and what to type.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace {

namespace fs = std::filesystem;
using evd::test::Finished;

class Setup : public testing::Test {
 protected:
  Setup() { fs::create_directories(top_ / "bin"); }

  void fake(const std::string& name, const std::string& script) {
    evd::test::write_file(top_ / ("bin/" + name), "#!/bin/bash\n" + script + "\n");
    fs::permissions(top_ / ("bin/" + name), fs::perms::owner_all);
  }
  /// Every package is there with the version that its line begins with, except where `change` (an
  /// awk program over name and version) says otherwise.
  void fake_packages(const std::string& change) {
    fake("dpkg-query", "awk '!/^#/ && NF == 3 {n = $1; v = ($2 == \".\" ? \"1\" : $2) \".9-1\"; " +
                           change + "; if (v) print \"ii \", n, v}' " +
                           (evd::test::source_directory() / "tools/packages.txt").string());
  }
  Finished setup(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {(evd::test::source_directory() / "tools/setup").string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    // Where LibTorch would go is a file: whatever passes the package check ends there, offline.
    evd::test::write_file(top_ / "deps", "");
    return evd::test::run({.arguments = all,
                           .environment = {{"PATH", (top_ / "bin").string() + ":/usr/bin:/bin"},
                                           {"EVD_DEPS", (top_ / "deps").string()}},
                           .timeout_s = 20});
  }

  evd::test::TempDir top_;
};

TEST_F(Setup, HelpSaysWhatItInstalls) {
  const auto help = setup({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("LibTorch 2.11.0"), std::string::npos);
  EXPECT_EQ(setup({"--tets"}).code, 64);
}

TEST_F(Setup, AnotherProcessorIsToldBeforeAnythingIsFetched) {
  fake("uname", "echo aarch64");
  fake("apt-get", "echo asked >> " + (top_ / "asked").string());
  const auto end = setup({});
  EXPECT_EQ(end.code, 78) << end.story();
  EXPECT_NE(end.err.find("this machine is aarch64"), std::string::npos) << end.story();
  EXPECT_FALSE(fs::exists(top_ / "asked"));
  EXPECT_EQ(setup({"--help"}).code, 0);
}

TEST_F(Setup, WithoutRootItNamesTheMissingPackagesAndTheCommand) {
  fake_packages("if (n == \"mold\" || n == \"libhdf5-dev\") v = \"\"");
  fake("id", "echo 1000");
  const auto end = setup({});
  EXPECT_EQ(end.code, 78) << end.story();
  EXPECT_NE(end.err.find("sudo apt-get install --no-install-recommends libhdf5-dev mold"),
            std::string::npos)
      << end.story();
}

TEST_F(Setup, TestPackagesAreAskedForOnlyForTests) {
  fake_packages("if (n == \"libgtest-dev\") v = \"\"");
  fake("id", "echo 1000");
  EXPECT_EQ(setup({}).err.find("libgtest-dev"), std::string::npos);
  EXPECT_NE(setup({"--tests"}).err.find("libgtest-dev"), std::string::npos);
}

TEST_F(Setup, AnotherVersionIsToldBeforeAnythingIsCompiled) {
  fake_packages("if (n == \"libopenmpi-dev\") v = \"5.0.7-1\"");
  const auto end = setup({});
  EXPECT_EQ(end.code, 78) << end.story();
  EXPECT_NE(end.err.find("libopenmpi-dev is 5.0.7-1, wanted 4.1"), std::string::npos)
      << end.story();
}

TEST_F(Setup, RootInstallsJustWhatIsMissing) {
  // apt-get's fake installs nothing, so what is asked of it is all that happens.
  fake_packages("if (n == \"mold\") v = \"\"");
  fake("id", "echo 0");
  fake("apt-get", "echo \"apt-get $*\" >> " + (top_ / "asked").string());
  const auto end = setup({});
  EXPECT_NE(end.code, 0) << "the fake cannot have installed it: " << end.story();
  const std::string asked = evd::test::read_file(top_ / "asked");
  EXPECT_NE(asked.find("install"), std::string::npos);
  EXPECT_NE(asked.find(" mold\n"), std::string::npos) << asked;
  EXPECT_EQ(asked.find("cmake"), std::string::npos) << asked;
}

TEST(Commands, SayHowTheyAreUsed) {
  for (const std::string name : {"tools/quickstart", "tools/test"}) {
    const auto path = (evd::test::source_directory() / name).string();
    const auto help = evd::test::run({.arguments = {path, "--help"}, .timeout_s = 10});
    EXPECT_EQ(help.code, 0) << help.story();
    EXPECT_NE(help.out.find("usage: " + name), std::string::npos) << help.story();
  }
  const auto quickstart = (evd::test::source_directory() / "tools/quickstart").string();
  EXPECT_EQ(evd::test::run({.arguments = {quickstart, "--round", "3"}, .timeout_s = 10}).code, 64);
}

}  // namespace
