#pragma once

#include <cstddef>
#include <span>
#include <vector>

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
  [[nodiscard]] image::Rgb load(std::size_t index) const { return load(index, side_px_, side_px_); }
  /// The same at another size: covered, then cut to its centre.
  [[nodiscard]] image::Rgb load(std::size_t index, int width_px, int height_px) const;

 private:
  const shard::Catalog& catalog_;
  std::span<const Member> members_;
  int side_px_;
};

/// What a set's file of images says of a target, without its pixels.
struct TargetFacts {
  Sha256 sha256;  ///< of the encoded bytes
  int width_px = 0;
  int height_px = 0;
};
/// Of every target in the order given; each file is read once. DataError naming the file when a row
/// is missing or has no picture.
[[nodiscard]] std::vector<TargetFacts> target_facts(const shard::Catalog& catalog,
                                                    std::span<const shard::ImageLocation> targets);

}  // namespace evd::data
