#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/stream.hpp"

namespace evd::data {

/// Bucket of a sample that no step takes.
constexpr int kHeldOut = -1;

/// Which samples each step of a round takes, when samples lie in buckets and all of a step come
/// from one: batch k of a bucket is entries [k * batch, (k + 1) * batch) of its Stream. A step
/// takes the bucket whose share of the samples served by its end lies furthest above what the
/// bucket has served; of equals the one of smallest index. So a step's samples are a function of
/// (seed, round, buckets, step) alone: of any rank, world size and resumed life.
class Order {
 public:
  /// `bucket_of[i]`: bucket (>= 0) of sample i, or kHeldOut. `batch`: samples of a step over all
  /// ranks. DataError when there is no sample to take, InternalError for an empty batch.
  Order(std::uint64_t seed, int round, std::span<const int> bucket_of, std::uint64_t batch);
  /// All `count` samples in bucket 0.
  Order(std::uint64_t seed, int round, std::uint32_t count, std::uint64_t batch);

  /// Whose turn a step is, and how many batches of that bucket came before.
  struct Turn {
    int bucket = 0;
    std::uint64_t number = 0;
  };
  [[nodiscard]] Turn turn(std::uint64_t step);
  /// Samples of the batch's places [share.begin, share.end).
  [[nodiscard]] std::vector<std::uint32_t> samples(const Turn& turn, const Share& share);
  [[nodiscard]] std::uint64_t batch() const { return batch_; }
  /// How often the first `steps` steps take each sample.
  [[nodiscard]] std::vector<std::int64_t> times_taken(std::uint64_t steps);

 private:
  struct Bucket {
    int index;
    std::vector<std::uint32_t> samples;  // in order of their index
    Stream stream;
    std::uint64_t served = 0;  // batches before step_
  };
  [[nodiscard]] Bucket& most_behind();

  std::uint64_t batch_;
  std::size_t count_;            // of all samples
  std::uint64_t taken_ = 0;      // of those that steps take
  std::vector<Bucket> buckets_;  // those with samples, by index
  std::uint64_t step_ = 0;       // the first whose turn is not counted yet
};

}  // namespace evd::data
