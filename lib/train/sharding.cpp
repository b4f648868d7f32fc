#include "train/sharding.hpp"

#include <algorithm>

namespace evd::train {
namespace {

Range part_of(Range whole, int index, int parts) {
  constexpr std::size_t kStep = nn::Layout::kAlignment;
  const auto count = static_cast<std::size_t>(parts);
  const std::size_t length = (whole.size() + count * kStep - 1) / (count * kStep) * kStep;
  const auto at = [&](std::size_t i) { return std::min(whole.begin + i * length, whole.end); };
  return {at(static_cast<std::size_t>(index)), at(static_cast<std::size_t>(index) + 1)};
}

}  // namespace

Sharding::Sharding(const nn::Layout& layout, const mpi::Communicator& world,
                   const mpi::Communicator& node, std::size_t bucket_bytes)
    : layout_(layout), grid_(world, node), cut_(cut_into_buckets(layout, bucket_bytes)) {
  for (std::size_t bucket = 0; bucket < cut_.buckets.size(); ++bucket) {
    own_.push_back(part(bucket, grid_.place()));
    own_size_ += own_.back().size();
  }
}

Range Sharding::portion(std::size_t bucket, int local) const {
  return part_of(cut_.buckets.at(bucket), local, grid_.local().size());
}

Range Sharding::part(std::size_t bucket, Place place) const {
  return part_of(portion(bucket, place.local), place.node, grid_.across().size());
}

}  // namespace evd::train
