#include "data/targets.hpp"

#include <array>
#include <unordered_map>

#include "core/error.hpp"
#include "shard/table.hpp"

namespace evd::data {
namespace {

// The file's path when the catalogue knows it; its digest otherwise.
std::string where(const shard::Catalog& catalog, const shard::ImageLocation& target) {
  const std::string row = " row " + std::to_string(target.row);
  try {
    return catalog.path(target.shard).string() + row;
  } catch (const DataError&) {
    return "image file " + target.shard.hex() + row;
  }
}

}  // namespace

image::Rgb Targets::load(std::size_t index, int width_px, int height_px) const {
  const Member& member = members_[index];
  try {
    const shard::Blob bytes = catalog_.bytes(member.target);
    return image::resize_cover(image::decode(bytes), width_px, height_px);
  } catch (const DataError& error) {
    throw DataError("target of sample " + member.id.hex() + " in " +
                    where(catalog_, member.target) + ": " + error.what());
  }
}

std::vector<TargetFacts> target_facts(const shard::Catalog& catalog,
                                      std::span<const shard::ImageLocation> targets) {
  static constexpr std::array<std::string_view, 3> kColumns = {"sha256", "width", "height"};
  std::unordered_map<Sha256, std::vector<std::size_t>> by_file;
  for (std::size_t i = 0; i < targets.size(); ++i) by_file[targets[i].shard].push_back(i);
  std::vector<TargetFacts> facts(targets.size());
  for (const auto& [file, wanted] : by_file) {
    const auto path = catalog.path(file);
    const auto rows = shard::Table<shard::Image>(path).read(kColumns);
    for (const auto i : wanted) {
      const auto row = static_cast<std::size_t>(targets[i].row);
      if (targets[i].row < 0 || row >= rows.size() || rows[row].width < 1 || rows[row].height < 1)
        throw DataError(path.string() + ": no picture in row " + std::to_string(targets[i].row) +
                        " (a training target)");
      facts[i] = {rows[row].sha256, rows[row].width, rows[row].height};
    }
  }
  return facts;
}

}  // namespace evd::data
