// What every program says and loads.
#include <algorithm>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace {

using evd::test::program;
using evd::test::run;

std::vector<std::string> all_programs() {
  return {"evd",          "evd-harvest",   "evd-judge", "evd-train",
          "evd-evaluate", "evd-rehearsal", "evd-probe"};
}

std::string test_name(const testing::TestParamInfo<std::string>& program) {
  std::string name = program.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// Everything that the loader would load, in all depths.
std::string loaded_libraries(const std::string& name) {
  const auto ldd = run({.arguments = {"ldd", program(name)}});
  EXPECT_EQ(ldd.code, 0) << ldd.story();
  EXPECT_NE(ldd.out.find("libc.so"), std::string::npos) << ldd.story();
  return ldd.out;
}

bool loads_torch_or_cuda(const std::string& libraries) {
  static const std::regex kHeavy(
      "lib(torch|c10|cuda|cudart|cupti|nccl|cublas|cudnn|nv)[^/\\s]*\\.so");
  return std::regex_search(libraries, kHeavy);
}

class Program : public testing::TestWithParam<std::string> {};

TEST_P(Program, HelpIsShortAndComesWithoutALauncher) {
  const auto help = run({.arguments = {program(GetParam()), "--help"}, .timeout_s = 20});
  EXPECT_EQ(help.code, 0) << help.story();
  EXPECT_NE(help.out.find(GetParam()), std::string::npos) << help.story();
  EXPECT_TRUE(help.err.empty()) << help.story();
  EXPECT_LE(std::count(help.out.begin(), help.out.end(), '\n'), 80) << help.story();
}

TEST_P(Program, AnUnknownOptionIsAUsageError) {
  const auto end = run({.arguments = {program(GetParam()), "--no-such-option"}, .timeout_s = 20});
  EXPECT_EQ(end.code, 64) << end.story();
  EXPECT_FALSE(end.err.empty());
}

TEST_P(Program, AMisspeltOptionIsToldWithTheNearestOne) {
  const auto end = run({.arguments = {program(GetParam()), "--hlep"}, .timeout_s = 20});
  EXPECT_EQ(end.code, 64) << end.story();
  EXPECT_NE(end.err.find("unknown option --hlep (did you mean --help?)"), std::string::npos)
      << end.story();
}

TEST_P(Program, FindsAllItsLibraries) {
  const auto libraries = loaded_libraries(GetParam());
  EXPECT_EQ(libraries.find("not found"), std::string::npos) << libraries;
}

INSTANTIATE_TEST_SUITE_P(All, Program, testing::ValuesIn(all_programs()), test_name);

// The names that stand at the beginning of a line under "Subcommands:".
std::vector<std::string> subcommands(const std::string& name) {
  const std::string help = run({.arguments = {program(name), "--help"}}).out;
  std::istringstream lines(help.substr(std::min(help.size(), help.find("Subcommands:"))));
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
      found.push_back(line.substr(2, line.find(' ', 2) - 2));
  return found;
}

class Verbs : public testing::TestWithParam<std::string> {};

TEST_P(Verbs, EachHasHelpAndKnowsItsOptions) {
  const auto all = subcommands(GetParam());
  EXPECT_GE(all.size(), 5U);
  for (const auto& verb : all) {
    const auto help = run({.arguments = {program(GetParam()), verb, "--help"}, .timeout_s = 20});
    EXPECT_EQ(help.code, 0) << verb << help.story();
    EXPECT_NE(help.out.find(verb), std::string::npos) << verb << help.story();
    EXPECT_TRUE(help.err.empty()) << verb << help.story();
    const auto end = run({.arguments = {program(GetParam()), verb, "--hlep"}, .timeout_s = 20});
    EXPECT_EQ(end.code, 64) << verb << end.story();
    EXPECT_NE(end.err.find("(did you mean --help?)\nTry: " + GetParam() + " " + verb + " --help"),
              std::string::npos)
        << verb << end.story();
  }
}

TEST_P(Verbs, AMisspeltOneIsToldWithTheNearest) {
  const auto verb = subcommands(GetParam()).front();
  const auto end = run({.arguments = {program(GetParam()), verb + "x"}, .timeout_s = 20});
  EXPECT_EQ(end.code, 64) << end.story();
  EXPECT_NE(end.err.find("(did you mean " + verb + "?)"), std::string::npos) << end.story();
}

INSTANTIATE_TEST_SUITE_P(All, Verbs, testing::Values("evd", "evd-rehearsal"), test_name);

class LightProgram : public testing::TestWithParam<std::string> {};

// They start at once, on login and service nodes too.
TEST_P(LightProgram, LoadsNeitherTorchNorCuda) {
  const auto libraries = loaded_libraries(GetParam());
  EXPECT_FALSE(loads_torch_or_cuda(libraries)) << libraries;
}

INSTANTIATE_TEST_SUITE_P(All, LightProgram,
                         testing::Values("evd", "evd-harvest", "evd-judge", "evd-rehearsal"),
                         test_name);

TEST(HeavyProgram, IsSeenAsSuch) {
  EXPECT_TRUE(loads_torch_or_cuda(loaded_libraries("evd-train")))
      << "or the test above could not fail";
}

TEST(EvdProgram, LoadsNoMpi) {
  EXPECT_EQ(loaded_libraries("evd").find("libmpi.so"), std::string::npos)
      << "evd runs where no MPI is set up";
}

}  // namespace
