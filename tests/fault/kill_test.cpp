#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

constexpr int kRanks = 2;
constexpr int kKills = 3;               // of each stage
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

struct Ledger {
  std::map<std::string, int> charges;  // request body digest -> times charged
  std::int64_t microusd = 0;
};

// Reads `"name":value` of a flat JSON line.
std::string field(const std::string& line, const std::string& name) {
  const auto at = line.find("\"" + name + "\":");
  if (at == std::string::npos) return "";
  auto begin = at + name.size() + 3;
  if (line[begin] == '"') ++begin;
  return line.substr(begin, line.find_first_of(",\"}", begin) - begin);
}

Ledger server_ledger(const TinyCampaign& campaign) {
  Ledger ledger;
  for (const auto& entry : std::filesystem::directory_iterator(campaign.path() / "rehearsal")) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream file(entry.path());
    std::string line;
    while (std::getline(file, line)) {
      const std::string body = field(line, "request");
      if (body.empty()) continue;
      ++ledger.charges[body];
      ledger.microusd += std::atoll(field(line, "microusd").c_str());
    }
  }
  return ledger;
}

// Each key is charged at most once, and once more for each of its ambiguous intents. The server
// knows bodies and the campaign knows keys, so the most-charged body is held against the key of
// most ambiguous intents, and so on.
void expect_charges_within(const Ledger& ledger,
                           const std::map<RequestKey, int>& ambiguous_intents) {
  std::vector<int> extra;
  for (const auto& [body, times] : ledger.charges)
    if (times > 1) extra.push_back(times - 1);
  std::vector<int> allowed;
  for (const auto& [key, count] : ambiguous_intents) allowed.push_back(count);
  std::sort(extra.rbegin(), extra.rend());
  std::sort(allowed.rbegin(), allowed.rend());
  ASSERT_LE(extra.size(), allowed.size());
  for (std::size_t i = 0; i < extra.size(); ++i) EXPECT_LE(extra[i], allowed[i]) << i;
}

// kill -9 of every stage at moments drawn by seed over its numbered I/O events; the same command
// again goes on, and in the end nothing differs from a campaign that nobody disturbed.
TEST(Kill, EveryStageGoesOnAndNothingIsPaidTwice) {
  const char* seed_text = std::getenv("EVD_TEST_SEED");
  const std::uint64_t seed = seed_text == nullptr ? 1 : std::strtoull(seed_text, nullptr, 10);
  const TinyCampaign calm;
  const TinyCampaign killed;
  const TempDir traces;
  std::uint64_t counter = 0;
  for (const auto& step : TinyCampaign::chain(2)) {
    const auto trace = traces / std::to_string(counter);
    const Finished whole =
        calm.stage(step.program, kRanks, step.arguments, {{"EVD_IO_TRACE", trace.string()}});
    ASSERT_EQ(whole.code, 0) << step.directory << whole.err;
    const auto events = events_in(trace, step.directory);
    ASSERT_GT(events.certain, 0U) << step.directory;
    int deaths = 0;
    for (int kill = 0; kill < kKills; ++kill) {
      Random random(seed, Purpose::test, counter, static_cast<std::uint64_t>(kill));
      // The first is sure to hit. The others may come to nothing: what the dead have saved is not
      // written again, and the ranks share the work as it comes.
      const auto rank = kill == 0 ? 0 : static_cast<std::size_t>(random.below(kRanks));
      const auto range = kill == 0 ? events.certain : events.all[rank];
      if (range == 0) continue;
      const std::uint64_t at = 1 + random.below(range);
      std::cout << "kill " << step.directory << " rank " << rank << " at event " << at << " of "
                << events.all[rank] << "\n";
      const Finished dead = killed.stage(
          step.program, kRanks, step.arguments,
          {{"EVD_KILL_AT", std::to_string(at)}, {"EVD_KILL_RANK", std::to_string(rank)}});
      EXPECT_FALSE(dead.timed_out) << step.directory << ": hangs after the death of a rank";
      EXPECT_TRUE(dead.code == 0 || dead.code == kKilled) << step.directory << dead.story();
      deaths += dead.code == kKilled ? 1 : 0;
    }
    EXPECT_GT(deaths, 0) << step.directory << ": nobody was killed";
    const Finished again = killed.stage(step.program, kRanks, step.arguments);
    ASSERT_EQ(again.code, 0) << step.directory << again.out << again.err;
    ++counter;
  }
  const auto expected = calm.contents();
  auto got = killed.contents();
  for (const auto& [directory, digest] : expected) EXPECT_EQ(digest, got[directory]) << directory;
  const Finished verify = killed.evd("verify", {"--deep"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;

  std::int64_t paid = 0;
  std::int64_t ambiguous = 0;
  std::map<RequestKey, int> ambiguous_intents;
  for (const auto& step : TinyCampaign::chain(2)) {
    const auto manifest = shard::read_manifest(killed.path() / step.directory);
    ASSERT_TRUE(manifest) << step.directory;
    paid += manifest->cost_microusd;
    ambiguous += manifest->ambiguous_microusd;
    const auto calls = killed.path() / step.directory / "calls.h5";
    if (!std::filesystem::exists(calls)) continue;
    for (const auto& call : shard::read_table<shard::Call>(calls))
      ambiguous_intents[call.key] += call.ambiguous ? 1 : 0;
  }
  const Ledger ledger = server_ledger(killed);
  ASSERT_FALSE(ledger.charges.empty());
  expect_charges_within(ledger, ambiguous_intents);
  EXPECT_LE(paid, ledger.microusd);
  EXPECT_LE(ledger.microusd, paid + ambiguous);
}

}  // namespace
}  // namespace evd::test
