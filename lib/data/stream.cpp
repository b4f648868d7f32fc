#include "data/stream.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/random.hpp"

namespace evd::data {

Stream::Stream(std::uint64_t seed, int round, int bucket, std::uint32_t count)
    : seed_(seed),
      key_(static_cast<std::uint64_t>(static_cast<std::uint32_t>(round)) << 32 |
           static_cast<std::uint32_t>(bucket)),
      count_(count) {
  if (count == 0)
    throw DataError("round " + std::to_string(round) +
                    ": the set has no member to train on (look at evd status)");
}

const std::vector<std::uint32_t>& Stream::epoch(std::uint64_t number) {
  if (cached_number_ != number) {
    cached_ = permutation(Random(seed_, Purpose::data_order, key_, number), count_);
    cached_number_ = number;
  }
  return cached_;
}

std::vector<std::uint32_t> Stream::entries(std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint32_t> indices;
  indices.reserve(count);
  while (indices.size() < count) {
    const std::uint64_t at = first + indices.size();
    const auto& order = epoch(at / count_);
    const std::uint64_t offset = at % count_;
    const std::uint64_t taken = std::min<std::uint64_t>(count - indices.size(), count_ - offset);
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(offset);
    indices.insert(indices.end(), begin, begin + static_cast<std::ptrdiff_t>(taken));
  }
  return indices;
}

std::vector<std::int64_t> Stream::times_taken(std::uint64_t count) {
  std::vector<std::int64_t> times(count_, static_cast<std::int64_t>(count / count_));
  for (const auto index : entries(count - count % count_, count % count_)) ++times[index];
  return times;
}

Share share_of(std::uint64_t items, int rank, int world_size) {
  const auto r = static_cast<std::uint64_t>(rank);
  const auto world = static_cast<std::uint64_t>(world_size);
  return {items * r / world, items * (r + 1) / world};
}

}  // namespace evd::data
