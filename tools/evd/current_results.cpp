#include "current_results.hpp"

#include <array>

#include "core/error.hpp"
#include "shard/table.hpp"

namespace evd::hands {

std::vector<run::StageRef> all_stages(const run::Campaign& campaign) {
  std::vector<run::StageRef> refs = {{run::Stage::init, 0}};
  // With the start stages at least: they may be done before round 0 has a directory.
  for (const auto& ref : run::chain(std::max(1, campaign.rounds_begun()))) refs.push_back(ref);
  return refs;
}

CurrentResults::CurrentResults(const run::Campaign& campaign) : campaign_(campaign) {
  for (const auto& ref : all_stages(campaign))
    if (auto manifest = campaign.manifest(ref)) manifests_.emplace(ref, std::move(*manifest));
}

const shard::Manifest* CurrentResults::find(const run::StageRef& ref) const {
  const auto found = manifests_.find(ref);
  return found == manifests_.end() ? nullptr : &found->second;
}

std::optional<run::StageRef> CurrentResults::made_from(const run::StageRef& ref,
                                                       const Sha256& content) const {
  if (const auto* now = find(ref); now != nullptr && now->content == content) return std::nullopt;
  for (const auto& [reader, manifest] : manifests_)
    for (const auto& input : manifest.inputs)
      if (input.stage == name(ref.stage) && input.round == ref.round && input.content == content)
        return reader;
  return std::nullopt;
}

bool CurrentResults::reads_file(const Sha256& sha256) const {
  for (const auto& [reader, manifest] : manifests_)
    for (const auto& file : manifest.input_files)
      if (file.sha256 == sha256) return true;
  return false;
}

void CurrentResults::each_file(
    std::string_view table,
    const std::function<void(const run::StageRef&, const std::filesystem::path&)>& take) const {
  for (const auto& [ref, manifest] : manifests_)
    for (const auto& file : manifest.files)
      if (file.table == table) take(ref, campaign_.directory(ref) / file.name);
}

const std::unordered_set<Sha256>& CurrentResults::missing_shards() const {
  if (missing_shards_) return *missing_shards_;
  static constexpr std::array<std::string_view, 1> kColumns = {"target_shard"};
  std::unordered_set<Sha256> pointed_at;
  each_file(shard::table_name<shard::Sample>(), [&](const auto&, const auto& path) {
    for (const auto& sample : shard::Table<shard::Sample>(path).read(kColumns))
      if (!sample.target_shard.is_none()) pointed_at.insert(sample.target_shard);
  });
  for (const auto& [ref, manifest] : manifests_)
    for (const auto& file : manifest.files) pointed_at.erase(file.sha256);
  return missing_shards_.emplace(std::move(pointed_at));
}

const std::unordered_set<ImageId>& CurrentResults::missing_pictures() const {
  if (missing_pictures_) return *missing_pictures_;
  static constexpr std::array<std::string_view, 2> kPair = {"image_a", "image_b"};
  static constexpr std::array<std::string_view, 1> kImage = {"id"};
  std::unordered_set<ImageId> shown;
  each_file(shard::table_name<shard::Pair>(), [&](const auto&, const auto& path) {
    for (const auto& pair : shard::Table<shard::Pair>(path).read(kPair))
      shown.insert({pair.image_a, pair.image_b});
  });
  shown.erase(ImageId{});
  each_file(shard::table_name<shard::Image>(), [&](const auto&, const auto& path) {
    for (const auto& image : shard::Table<shard::Image>(path).read(kImage)) shown.erase(image.id);
  });
  return missing_pictures_.emplace(std::move(shown));
}

}  // namespace evd::hands
