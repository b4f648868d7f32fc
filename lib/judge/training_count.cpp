#include "judge/training_count.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "core/error.hpp"
#include "data/aspect.hpp"
#include "data/held_out.hpp"
#include "data/members.hpp"
#include "data/order.hpp"
#include "data/targets.hpp"
#include "shard/table.hpp"
#include "shard/training_rows.hpp"

namespace evd::judge {
namespace {

using run::Stage;

shard::Manifest manifest_of(const run::Campaign& campaign, const run::StageRef& ref) {
  auto manifest = campaign.manifest(ref);
  if (manifest) return std::move(*manifest);
  throw DataError(campaign.directory(ref).string() + ": no manifest (run " + run::to_string(ref) +
                  " first)");
}

// The set that a train result was made from.
run::StageRef set_of(const shard::Manifest& train) {
  for (const auto& input : train.inputs)
    if (input.stage == name(Stage::judge)) return {Stage::judge, input.round};
  throw DataError("the manifest of train, round " + std::to_string(train.round) +
                  ": no set among its inputs");
}

// By the sides of the targets.
std::vector<int> aspects_of(const run::Campaign& campaign, const std::vector<data::Member>& members,
                            const run::Config& config) {
  std::vector<int> buckets(members.size(), 0);
  if (!config.network.multi_aspect) return buckets;
  std::vector<shard::ImageLocation> targets;
  for (const auto& member : members) targets.push_back(member.target);
  const auto facts = data::target_facts(shard::Catalog(campaign.root()), targets);
  const auto table = data::aspect_table(config.side_px());
  for (std::size_t i = 0; i < members.size(); ++i)
    buckets[i] = data::bucket_of(table, facts[i].width_px, facts[i].height_px);
  return buckets;
}

// As training had them.
std::vector<int> buckets_of(const run::Campaign& campaign, const std::vector<data::Member>& members,
                            const shard::Manifest& train, std::uint64_t seed) {
  const auto config = run::parse_config(train.config_toml, "the configuration of a train result");
  return data::without_held_out(aspects_of(campaign, members, config), members,
                                config.train.held_out_share, seed);
}

// Mean loss of each sample in a round.
std::unordered_map<SampleId, double> losses_of(const std::filesystem::path& visits) {
  static constexpr std::array<std::string_view, 2> kColumns = {"sample", "loss"};
  struct Sum {
    double loss = 0;
    double count = 0;
  };
  std::unordered_map<SampleId, Sum> sums;
  for (const auto& visit : shard::Table<shard::Visit>(visits).read(kColumns)) {
    if (!std::isfinite(visit.loss)) continue;
    auto& sum = sums[visit.sample];
    sum.loss += double{visit.loss};
    sum.count += 1;
  }
  std::unordered_map<SampleId, double> means;
  for (const auto& [id, sum] : sums) means[id] = sum.loss / sum.count;
  return means;
}

bool lists(const shard::Manifest& manifest, std::string_view file) {
  return std::any_of(manifest.files.begin(), manifest.files.end(),
                     [&](const shard::FileEntry& entry) { return entry.name == file; });
}

}  // namespace

void count_training(State& state, const run::Campaign& campaign, std::uint64_t seed, int round) {
  const auto train = manifest_of(campaign, {Stage::train, round});
  const auto tally = [&](const char* name) {
    const auto found = train.tallies.find(name);
    return found == train.tallies.end() ? 0 : found->second;
  };
  const auto images = tally("images");
  const auto steps = std::max<std::int64_t>(1, tally("steps"));
  const auto set = campaign.set_file(set_of(train));
  if (images <= 0) return;
  const auto members = data::read_members(set);
  if (members.empty()) return;
  const auto times = data::Order(seed, round, buckets_of(campaign, members, train, seed),
                                 static_cast<std::uint64_t>(images / steps))
                         .times_taken(static_cast<std::uint64_t>(steps));
  for (std::size_t i = 0; i < members.size(); ++i)
    if (const auto index = find_sample(state, members[i].id))
      state.set[*index].times_trained += times[i];
  if (!lists(train, "visits.h5")) return;
  for (const auto& [id, loss] : losses_of(campaign.directory({Stage::train, round}) / "visits.h5"))
    if (const auto index = find_sample(state, id))
      state.set[*index].training_loss = static_cast<float>(loss);
}

}  // namespace evd::judge
