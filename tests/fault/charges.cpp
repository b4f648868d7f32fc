#include "fault/charges.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "shard/manifest.hpp"
#include "shard/table.hpp"

namespace evd::test {
namespace {

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

}  // namespace

void expect_nothing_paid_twice(const TinyCampaign& campaign,
                               const std::vector<TinyCampaign::Step>& steps) {
  std::int64_t paid = 0;
  std::int64_t ambiguous = 0;
  std::map<RequestKey, int> ambiguous_intents;
  for (const auto& step : steps) {
    const auto manifest = shard::read_manifest(campaign.path() / step.directory);
    ASSERT_TRUE(manifest) << step.directory;
    paid += manifest->cost_microusd;
    ambiguous += manifest->ambiguous_microusd;
    const auto calls = campaign.path() / step.directory / "calls.h5";
    if (!std::filesystem::exists(calls)) continue;
    for (const auto& call : shard::read_table<shard::Call>(calls))
      ambiguous_intents[call.key] += call.ambiguous ? 1 : 0;
  }
  const bool none_asks = std::all_of(steps.begin(), steps.end(), [](const auto& step) {
    return step.program == "evaluate" || step.program == "train";
  });
  if (none_asks) return;
  const Ledger ledger = server_ledger(campaign);
  ASSERT_FALSE(ledger.charges.empty());
  std::int64_t again = 0;
  for (const auto& [body, times] : ledger.charges) again += times - 1;
  std::cout << ledger.charges.size() << " requests charged, " << again << " of them again; paid "
            << paid << " <= charged " << ledger.microusd << " <= " << paid + ambiguous
            << " micro-dollar" << std::endl;
  expect_charges_within(ledger, ambiguous_intents);
  EXPECT_LE(paid, ledger.microusd);
  EXPECT_LE(ledger.microusd, paid + ambiguous);
}

}  // namespace evd::test
