#include "judge/training_count.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "data/stream.hpp"
#include "shard/table.hpp"

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

// In the order that training numbers them: by id.
std::vector<SampleId> members_of(const std::filesystem::path& set_file) {
  static constexpr std::array<std::string_view, 2> kColumns = {"id", "status"};
  std::vector<SampleId> members;
  for (const auto& sample : shard::Table<shard::Sample>(set_file).read(kColumns))
    if (sample.status == shard::Status::member) members.push_back(sample.id);
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace

void count_training(State& state, const run::Campaign& campaign, std::uint64_t seed, int round) {
  const auto train = manifest_of(campaign, {Stage::train, round});
  const auto images = train.tallies.find("images");
  const auto members = members_of(campaign.set_file(set_of(train)));
  if (images == train.tallies.end() || images->second <= 0 || members.empty()) return;
  data::Stream stream(seed, round, 0, static_cast<std::uint32_t>(members.size()));
  const auto times = stream.times_taken(static_cast<std::uint64_t>(images->second));
  for (std::size_t i = 0; i < members.size(); ++i)
    if (const auto index = find_sample(state, members[i]))
      state.set[*index].times_trained += times[i];
}

}  // namespace evd::judge
