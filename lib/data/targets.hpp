#pragma once

#include <cstddef>
#include <span>

#include "data/members.hpp"
#include "image/image.hpp"
#include "shard/catalog.hpp"

namespace evd::data {

/// The target images of members at the size that the network sees. Holds no pixels: each load
/// reads, checks, decodes and resizes. Keeps references: catalog and members must outlive it.
class Targets {
 public:
  Targets(const shard::Catalog& catalog, std::span<const Member> members, int side_px)
      : catalog_(catalog), members_(members), side_px_(side_px) {}

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] int side_px() const { return side_px_; }
  /// (side, side, 3). DataError naming sample, file and row when the image is missing or damaged:
  /// another sample never takes its place. Thread-safe.
  [[nodiscard]] image::Rgb load(std::size_t index) const;

 private:
  const shard::Catalog& catalog_;
  std::span<const Member> members_;
  int side_px_;
};

}  // namespace evd::data
