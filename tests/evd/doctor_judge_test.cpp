#include <algorithm>

#include <gtest/gtest.h>

#include "doctor_login.hpp"
#include "doctor_ranks.hpp"
#include "support/temp_dir.hpp"

namespace evd::hands {
namespace {

run::ProbeReport healthy() {
  run::ProbeReport report{.software = "test", .world = 2, .launched = 2};
  report.directory = {.path = "/scratch",
                      .file_system = "lustre",
                      .free_bytes = 1LL << 40,
                      .free_inodes = 1'000'000,
                      .mode = 02775,
                      .group = "lab",
                      .publish_s = 0.01,
                      .own_files = 0.002,
                      .flock = true,
                      .fcntl_lock = true};
  for (int rank = 0; rank < 2; ++rank)
    report.ranks.push_back({.rank = rank,
                            .host = "n" + std::to_string(rank),
                            .cpus = 8,
                            .memory_bytes = 64LL << 30,
                            .slurm_cpus_per_task = 8,
                            .clock_s = {100, 101, 102},
                            .new_file = 0.001,
                            .looked_up_file = 0.001,
                            .replaced_file = 0.001,
                            .link_won = rank == 1});
  return report;
}

Check find(const std::vector<Check>& checks, const std::string& name) {
  for (const auto& check : checks)
    if (check.name == name) return check;
  ADD_FAILURE() << "no check of " << name << "\n" << to_text(checks);
  return {};
}

TEST(DoctorRanks, ReportsReadBack) {
  auto report = healthy();
  report.ranks[1].cuda_visible_devices = "0,1";
  report.ranks[1].looked_up_file = std::nullopt;
  report.ranks[1].trouble = "a \"quoted\" one\nof two lines";
  const std::string line = to_line(report);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto found = run::find_reports("noise\n1: " + line + "evd-probe-report {broken\n" + line);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(to_line(found[0]), line);
}

TEST(DoctorRanks, AHealthySiteHasNothingToDo) {
  const auto checks = judge_ranks({healthy()}, {});
  for (const auto& check : checks) {
    EXPECT_NE(check.health, Health::failed) << to_text(checks);
    EXPECT_NE(check.health, Health::warning) << to_text(checks);
    EXPECT_TRUE(check.next.empty()) << to_text(checks);
  }
  EXPECT_EQ(exit_code_of(checks), ExitCode::done);
}

TEST(DoctorRanks, RanksThatAreAloneAreTheLaunchersFault) {
  auto alone = healthy();
  alone.world = 1;
  alone.ranks.resize(1);
  const auto two_worlds = judge_ranks({alone, alone}, {});
  EXPECT_EQ(find(two_worlds, "MPI").health, Health::failed);
  EXPECT_EQ(exit_code_of(two_worlds), ExitCode::configuration);
  // Only one of them came so far as to tell.
  EXPECT_EQ(find(judge_ranks({alone}, {}), "MPI").health, Health::failed);
  alone.launched = std::nullopt;
  EXPECT_EQ(find(judge_ranks({alone}, {.ranks = 2}), "MPI").health, Health::failed);
  EXPECT_EQ(find(judge_ranks({alone}, {.ranks = 1}), "MPI").health, Health::ok);
  EXPECT_EQ(find(judge_ranks({alone}, {.ranks = 1}), "other ranks").health, Health::unknown);
}

TEST(DoctorRanks, FilesThatOthersDoNotSeeFail) {
  for (const auto member : {&run::RankFacts::new_file, &run::RankFacts::looked_up_file,
                            &run::RankFacts::replaced_file}) {
    auto report = healthy();
    report.ranks[1].*member = 12.5;
    EXPECT_EQ(find(judge_ranks({report}, {}), "other ranks").health, Health::warning);
    report.ranks[1].*member = std::nullopt;
    const auto checks = judge_ranks({report}, {});
    EXPECT_EQ(find(checks, "other ranks").health, Health::failed);
    EXPECT_EQ(exit_code_of(checks), ExitCode::io);
  }
  auto report = healthy();
  report.directory.own_files = std::nullopt;
  EXPECT_EQ(find(judge_ranks({report}, {}), "other ranks").health, Health::failed);
}

TEST(DoctorRanks, ALinkThatTwoHaveMadeIsNoLease) {
  auto report = healthy();
  report.ranks[0].link_won = true;
  EXPECT_EQ(find(judge_ranks({report}, {}), "leases").health, Health::failed);
  report.ranks[0].link_won = report.ranks[1].link_won = false;
  EXPECT_EQ(find(judge_ranks({report}, {}), "leases").health, Health::failed);
}

TEST(DoctorRanks, TheRestIsToldToo) {
  auto report = healthy();
  report.ranks[1].clock_s = {103, 103.5, 105};
  report.ranks[1].cpu_quota = 2;
  report.directory.free_bytes = 1 << 20;
  report.directory.flock = false;
  const auto checks = judge_ranks({report}, {.gpus = true});
  EXPECT_EQ(find(checks, "clocks").health, Health::warning) << to_text(checks);
  EXPECT_NE(find(checks, "clocks").what.find("n1 is 2.5 s apart"), std::string::npos)
      << to_text(checks);
  EXPECT_EQ(find(checks, "CPUs").health, Health::warning) << to_text(checks);
  EXPECT_EQ(find(checks, "space").health, Health::warning) << to_text(checks);
  EXPECT_EQ(find(checks, "locks").health, Health::warning) << to_text(checks);
  EXPECT_EQ(find(checks, "GPUs").health, Health::failed) << to_text(checks);
  report.directory.trouble = "publish.write: No space left on device";
  const auto full = judge_ranks({report}, {});
  EXPECT_EQ(find(full, "write").health, Health::failed);
  EXPECT_EQ(exit_code_of(full), ExitCode::io);
}

// What the loader says when LibTorch lies where this user, or this node, cannot read it.
TEST(DoctorLogin, AProgramThatDoesNotStartIsNamed) {
  const test::TempDir prefix;
  std::filesystem::create_directories(prefix / "bin");
  for (const std::string program : {"evd-harvest", "evd-judge", "evd-train", "evd-evaluate"}) {
    const auto path = prefix / ("bin/" + program);
    const bool is_torch = program == "evd-train";
    test::write_file(path, is_torch ? "#!/bin/sh\necho 'libtorch.so: cannot open' >&2\nexit 127\n"
                                    : "#!/bin/sh\nexit 0\n");
    std::filesystem::permissions(path, std::filesystem::perms(0755));
  }
  const auto checks = check_programs(prefix.path());
  const auto torch = find(checks, "LibTorch");
  EXPECT_EQ(torch.health, Health::failed);
  EXPECT_NE(torch.what.find("libtorch.so: cannot open"), std::string::npos) << torch.what;
  const auto missing = find(checks, "programs");
  EXPECT_EQ(missing.health, Health::failed);
  EXPECT_NE(missing.what.find("evd-rehearsal is not there"), std::string::npos) << missing.what;
}

}  // namespace
}  // namespace evd::hands
