#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "fault/charges.hpp"

namespace evd::test {
namespace {

constexpr int kRanks = 2;

struct Fault {
  std::string name;
  std::string says;
};

const std::vector<Fault> kFaults = {{"EIO", "Input/output error"},
                                    {"ESTALE", "Stale file handle"},
                                    {"ENOSPC", "No space left on device"}};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::map<std::string, std::string> failing(const TinyCampaign& campaign, int rank, std::uint64_t at,
                                           const std::string& fault,
                                           const std::filesystem::path& trace) {
  return {{"LD_PRELOAD", EVD_FAILING_DISK},
          {"EVD_FAIL_BELOW", campaign.path().string()},
          {"EVD_FAIL_RANK", std::to_string(rank)},
          {"EVD_FAIL_AT", std::to_string(at)},
          {"EVD_FAIL_WITH", fault},
          {"EVD_FAIL_TRACE", trace.string()}};
}

// "FAILED n operation path", or nothing.
std::string first_failure(const std::filesystem::path& trace) {
  for (const auto& line : lines_of(trace))
    if (line.starts_with("FAILED ")) return line;
  return "";
}

// What a stage does without: the signs of life that it gives others, and the note of how far it is.
bool may_be_missing(const std::string& hit) { return hit.find("/leases/") != std::string::npos; }

// A line that names the campaign's file and what its disk said.
bool tells(const std::string& text, const TinyCampaign& campaign, const std::string& says) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find(campaign.path().string()) != std::string::npos &&
        line.find(says) != std::string::npos)
      return true;
  return false;
}

// EIO, ESTALE and a full disk at operations drawn by seed, in every stage, each on a copy of its
// own: the run ends with 74 and says where, the same command without the fault ends as if nothing
// had been.
TEST(FailingDisk, EveryStageSaysWhereAndGoesOn) {
  const char* faults_text = std::getenv("EVD_TEST_FAULTS");
  const std::uint64_t faults = faults_text == nullptr ? 3 : std::strtoull(faults_text, nullptr, 10);
  const char* seed_text = std::getenv("EVD_TEST_SEED");
  const std::uint64_t seed = seed_text == nullptr ? 1 : std::strtoull(seed_text, nullptr, 10);
  const TinyCampaign calm;
  const TempDir traces;
  std::vector<TinyCampaign::Step> done;
  std::uint64_t run = 0;
  for (const auto& step : TinyCampaign::chain(1)) {
    const auto& [program, arguments, directory] = step;
    const TinyCampaign before(calm);
    const auto all = traces / std::to_string(++run);
    const Finished whole = calm.stage(program, kRanks, arguments, failing(calm, 0, 0, "EIO", all));
    ASSERT_EQ(whole.code, 0) << directory << whole.story();
    done.push_back(step);
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < faults; ++i) {
      const int rank = static_cast<int>(i % kRanks);
      const std::uint64_t operations = lines_of(all.string() + "." + std::to_string(rank)).size();
      ASSERT_GT(operations, 0U) << directory << ": the library was not loaded";
      Random random(seed, Purpose::test, done.size(), i);
      const std::uint64_t at = 1 + random.below(operations);
      const Fault& fault = kFaults[(done.size() + i) % kFaults.size()];
      const auto trace = traces / std::to_string(++run);
      const TinyCampaign failed(before);
      const Finished broken =
          failed.stage(program, kRanks, arguments, failing(failed, rank, at, fault.name, trace));
      const std::string hit = first_failure(trace.string() + "." + std::to_string(rank));
      const std::string where = directory + " rank " + std::to_string(rank) + " at " +
                                std::to_string(at) + " of " + std::to_string(operations) + " " +
                                fault.name + ": " + hit;
      std::cout << where << " -> " << broken.code << std::endl;
      EXPECT_FALSE(broken.timed_out) << where;
      hits += hit.empty() ? 0 : 1;
      // What it does without it warns of: report.json, and tidying up behind what is published.
      const bool goes_on =
          hit.empty() || may_be_missing(hit) || broken.err.find(" warning ") != std::string::npos;
      EXPECT_TRUE(broken.code == 74 || (goes_on && broken.code == 0)) << where << broken.story();
      if (broken.code != 0 || !(hit.empty() || may_be_missing(hit))) {
        EXPECT_TRUE(tells(broken.err, failed, fault.says)) << where << broken.story();
      }
      const Finished again = failed.stage(program, kRanks, arguments);
      EXPECT_EQ(again.code, 0) << where << again.story();
      EXPECT_EQ(failed.contents()[directory], calm.contents()[directory]) << where;
      expect_nothing_paid_twice(failed, done);
    }
    EXPECT_GT(hits, 0U) << directory << ": nothing failed";
  }
}

}  // namespace
}  // namespace evd::test
