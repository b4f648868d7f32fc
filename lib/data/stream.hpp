#pragma once

#include <cstdint>
#include <vector>

namespace evd::data {

/// The order in which the samples of one size bucket are trained on in one round: an endless row of
/// permutations of 0..count-1, the e-th drawn from (seed, data_order, round and bucket, e). Entry n
/// depends on nothing else, so any rank, any world size and any resumed life see the same order.
class Stream {
 public:
  /// DataError when there is no sample to train on.
  Stream(std::uint64_t seed, int round, int bucket, std::uint32_t count);

  /// Sample indices of entries [first, first + count).
  [[nodiscard]] std::vector<std::uint32_t> entries(std::uint64_t first, std::uint64_t count);
  /// How often each sample stands among the first `count` entries. (samples)
  [[nodiscard]] std::vector<std::int64_t> times_taken(std::uint64_t count);

 private:
  [[nodiscard]] const std::vector<std::uint32_t>& epoch(std::uint64_t number);

  std::uint64_t seed_;
  std::uint64_t key_;  // round and bucket
  std::uint32_t count_;
  std::uint64_t cached_number_ = UINT64_MAX;
  std::vector<std::uint32_t> cached_;
};

/// Items [begin, end) of a global batch that belong to one rank; sizes differ by one at most.
struct Share {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  [[nodiscard]] std::uint64_t size() const { return end - begin; }
};
[[nodiscard]] Share share_of(std::uint64_t items, int rank, int world_size);

}  // namespace evd::data
