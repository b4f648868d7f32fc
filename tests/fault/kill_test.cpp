#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "fault/charges.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

constexpr int kRanks = 2;
constexpr int kKills = 3;               // of each stage, unless EVD_TEST_KILLS says otherwise
constexpr int kKilled = 128 + SIGKILL;  // what mpirun ends with when a rank was

struct Events {
  std::array<std::uint64_t, kRanks> all{};  // of each rank
  std::uint64_t certain = 0;  // that rank 0 has at least, however the work is shared: it publishes
};

// From a trace file: lines "rank number name path".
Events events_in(const std::filesystem::path& trace, const std::string& directory) {
  Events events;
  std::ifstream file(trace);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::size_t rank = 0;
    std::uint64_t number = 0;
    std::string name;
    std::string path;
    if (!(words >> rank >> number >> name >> path) || rank >= kRanks) continue;
    events.all[rank] = std::max(events.all[rank], number);
    const bool of_result = path.find("/" + directory + "/") != std::string::npos;
    if (rank == 0 && of_result && name.starts_with("publish.")) ++events.certain;
  }
  return events;
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void expect_equal(const TinyCampaign& killed, const TinyCampaign& calm) {
  auto got = killed.contents();
  for (const auto& [directory, digest] : calm.contents())
    EXPECT_EQ(digest, got[directory]) << directory;
}

// kill -9 of every stage at moments drawn by seed over its numbered I/O events; the same command
// again goes on, and in the end nothing differs from a campaign that nobody disturbed. When a stage
// has got through in spite of a kill to come, the next is tried on a copy from before it.
TEST(Kill, EveryStageGoesOnAndNothingIsPaidTwice) {
  const std::uint64_t seed = number_from("EVD_TEST_SEED", 1);
  const std::uint64_t kills = number_from("EVD_TEST_KILLS", kKills);
  const TinyCampaign calm;
  auto killed = std::make_unique<TinyCampaign>();
  const TempDir traces;
  std::uint64_t counter = 0;
  std::uint64_t all_deaths = 0;
  std::vector<TinyCampaign::Step> done;
  for (const auto& step : TinyCampaign::chain(2)) {
    const auto trace = traces / std::to_string(counter);
    const Finished whole =
        calm.stage(step.program, kRanks, step.arguments, {{"EVD_IO_TRACE", trace.string()}});
    ASSERT_EQ(whole.code, 0) << step.directory << whole.err;
    const auto events = events_in(trace, step.directory);
    ASSERT_GT(events.certain, 0U) << step.directory;
    done.push_back(step);
    const TinyCampaign before(*killed);
    std::uint64_t deaths = 0;
    for (std::uint64_t shot = 0; deaths < kills && shot < 8 * kills; ++shot) {
      Random random(seed, Purpose::test, counter, shot);
      // The first is sure to hit. The others may come to nothing: what the dead have saved is not
      // written again, and the ranks share the work as it comes.
      const auto rank = shot == 0 ? 0 : static_cast<std::size_t>(random.below(kRanks));
      const auto range = shot == 0 ? events.certain : events.all[rank];
      if (range == 0) continue;
      const std::uint64_t at = 1 + random.below(range);
      const Finished dead = killed->stage(
          step.program, kRanks, step.arguments,
          {{"EVD_KILL_AT", std::to_string(at)}, {"EVD_KILL_RANK", std::to_string(rank)}});
      EXPECT_FALSE(dead.timed_out) << step.directory << ": hangs after the death of a rank";
      EXPECT_TRUE(dead.code == 0 || dead.code == kKilled) << step.directory << dead.story();
      std::cout << "kill " << step.directory << " rank " << rank << " at event " << at << " of "
                << events.all[rank] << (dead.code == kKilled ? "" : ": got through") << std::endl;
      deaths += dead.code == kKilled ? 1 : 0;
      if (dead.code != 0) continue;
      expect_equal(*killed, calm);
      expect_nothing_paid_twice(*killed, done);
      killed = std::make_unique<TinyCampaign>(before);
    }
    EXPECT_EQ(deaths, kills) << step.directory;
    all_deaths += deaths;
    const Finished again = killed->stage(step.program, kRanks, step.arguments);
    ASSERT_EQ(again.code, 0) << step.directory << again.out << again.err;
    ++counter;
  }
  expect_equal(*killed, calm);
  const Finished verify = killed->evd("verify", {"--deep"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  std::cout << all_deaths << " deaths in " << counter << " stages\n";
  expect_nothing_paid_twice(*killed, done);
}

}  // namespace
}  // namespace evd::test
