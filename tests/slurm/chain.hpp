#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "run/campaign.hpp"
#include "run/lease.hpp"
#include "run/stage_report.hpp"
#include "submitted_jobs.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {

using run::Stage;
using run::StageRef;

/// The site file of the test cluster.
inline std::string site() {
  return (source_directory() / "configs/sites/test-cluster.toml").string();
}

/// Campaigns whose stages are jobs; started by with_cluster.sh.
class Chain : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(std::getenv("EVD_TEST_CLUSTER"), nullptr)
        << "start it by tests/slurm/with_cluster.sh";
  }

  static std::string slurm(const std::vector<std::string>& command) {
    const Finished end = test::run({.arguments = command, .timeout_s = 60});
    EXPECT_EQ(end.code, 0) << end.story();
    return end.out;
  }
  /// Asks until `holds`; fails the test, with what the campaign looks like, after `limit_s`.
  template <class Condition>
  static void wait_until(const TinyCampaign& campaign, const char* what, Condition holds,
                         double limit_s = 240) {
    const auto begun = std::chrono::steady_clock::now();
    while (!holds()) {
      const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begun;
      if (waited.count() > limit_s) {
        FAIL() << "no " << what << " within " << limit_s << " s\n"
               << campaign.evd("status").out << slurm({"squeue"});
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  static void wait_for_the_end(const TinyCampaign& campaign) {
    wait_until(campaign, "empty queue", [] { return slurm({"squeue", "--noheader"}).empty(); });
  }
  static void wait_until_running(const TinyCampaign& campaign, const StageRef& ref) {
    wait_until(campaign, "running stage", [&] {
      const auto facts = run::read_lease(run::Campaign(campaign.path()).lease_file(ref));
      return facts && !facts->released;
    });
  }
  static void submit(const TinyCampaign& campaign, std::vector<std::string> arguments,
                     const std::string& site_file = site()) {
    arguments.insert(arguments.end(), {"--site", site_file});
    const Finished done = campaign.evd("submit", arguments);
    ASSERT_EQ(done.code, 0) << done.story();
  }
  static std::string job_of(const TinyCampaign& campaign, const StageRef& ref) {
    return hands::read_jobs(run::Campaign(campaign.path())).jobs.at(ref).job;
  }
  static bool has_log(const TinyCampaign& campaign, const StageRef& ref, int life) {
    return std::filesystem::exists(
        campaign.path() / "logs" /
        (run::file_stem(ref) + "-" + job_of(campaign, ref) + "." + std::to_string(life) + ".log"));
  }
  static run::StageReport report(const TinyCampaign& campaign, const StageRef& ref) {
    return run::read_report(run::Campaign(campaign.path()).directory(ref)).value();
  }
  static void expect_equal(const TinyCampaign& campaign, const TinyCampaign& undisturbed) {
    auto contents = campaign.contents();
    const auto wanted = undisturbed.contents();
    EXPECT_EQ(contents.size(), wanted.size()) << campaign.evd("status").out;
    for (const auto& [directory, digest] : wanted)
      EXPECT_EQ(contents[directory], digest) << directory;
  }
};

}  // namespace evd::test
