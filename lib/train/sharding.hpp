#pragma once

#include <cstddef>
#include <vector>

#include "nn/layout.hpp"
#include "train/buckets.hpp"
#include "train/rank_grid.hpp"

namespace evd::train {

/// Which rank owns which elements of the flat buffers (ZeRO stage 1, Rajbhandari et al., 2020): of
/// every bucket each rank owns one part, of gradient sum, moments and averages alike, and updates
/// the weights there. A bucket is cut into a portion for each local number, which the ranks of a
/// node sum in shared memory, and a portion into a part for each node. Parts are equal but for the
/// last ones, and begin at 64-byte boundaries.
class Sharding {
 public:
  /// Collective. `layout` and `world` must outlive it.
  Sharding(const nn::Layout& layout, const mpi::Communicator& world, const mpi::Communicator& node,
           std::size_t bucket_bytes = kBucketBytes);

  [[nodiscard]] const nn::Layout& layout() const { return layout_; }
  [[nodiscard]] const RankGrid& grid() const { return grid_; }
  [[nodiscard]] const Cut& cut() const { return cut_; }

  /// What the ranks of one local number hold of a bucket, over all nodes.
  [[nodiscard]] Range portion(std::size_t bucket, int local) const;
  /// What one rank owns of a bucket.
  [[nodiscard]] Range part(std::size_t bucket, Place place) const;
  /// Parts of this rank, by bucket.
  [[nodiscard]] const std::vector<Range>& own() const { return own_; }
  /// Elements that this rank owns in all.
  [[nodiscard]] std::size_t own_size() const { return own_size_; }

  /// Of this size, XL's 2.4 GB of gradients are cut into some hundred, a small network's into a
  /// handful.
  static constexpr std::size_t kBucketBytes = std::size_t{1} << 20;

 private:
  const nn::Layout& layout_;
  RankGrid grid_;
  Cut cut_;
  std::vector<Range> own_;
  std::size_t own_size_ = 0;
};

}  // namespace evd::train
