#include "data/targets.hpp"

#include "core/error.hpp"

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

image::Rgb Targets::load(std::size_t index) const {
  const Member& member = members_[index];
  try {
    const shard::Blob bytes = catalog_.bytes(member.target);
    return image::resize_cover(image::decode(bytes), side_px_, side_px_);
  } catch (const DataError& error) {
    throw DataError("target of sample " + member.id.hex() + " in " +
                    where(catalog_, member.target) + ": " + error.what());
  }
}

}  // namespace evd::data
