#include "data/order.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"

namespace evd::data {

Order::Order(std::uint64_t seed, int round, std::span<const int> bucket_of, std::uint64_t batch)
    : batch_(batch), count_(bucket_of.size()) {
  if (batch == 0) throw InternalError("a batch without samples");
  std::map<int, std::vector<std::uint32_t>> samples;
  for (std::size_t i = 0; i < bucket_of.size(); ++i) {
    if (bucket_of[i] == kHeldOut) continue;
    if (bucket_of[i] < 0) throw InternalError("sample " + std::to_string(i) + " has no bucket");
    samples[bucket_of[i]].push_back(static_cast<std::uint32_t>(i));
    ++taken_;
  }
  if (samples.empty() && count_ > 0)
    throw DataError("all samples are held out from training: lower train.held_out_share");
  if (samples.empty()) static_cast<void>(Stream(seed, round, 0, 0));  // says what is wrong
  for (auto& [index, members] : samples) {
    const auto count = static_cast<std::uint32_t>(members.size());
    buckets_.push_back({index, std::move(members), Stream(seed, round, index, count)});
  }
}

Order::Order(std::uint64_t seed, int round, std::uint32_t count, std::uint64_t batch)
    : Order(seed, round, std::vector<int>(count, 0), batch) {}

// Shares are compared in whole numbers: size * (steps by the end of this one) - taken * batches.
Order::Bucket& Order::most_behind() {
  const auto lag = [&](const Bucket& bucket) {
    return static_cast<std::int64_t>(bucket.samples.size() * (step_ + 1)) -
           static_cast<std::int64_t>(taken_ * bucket.served);
  };
  return *std::max_element(buckets_.begin(), buckets_.end(),
                           [&](const Bucket& a, const Bucket& b) { return lag(a) < lag(b); });
}

Order::Turn Order::turn(std::uint64_t step) {
  if (buckets_.size() == 1) return {buckets_.front().index, step};
  if (step < step_) {
    step_ = 0;
    for (auto& bucket : buckets_) bucket.served = 0;
  }
  for (; step_ < step; ++step_) ++most_behind().served;
  const Bucket& bucket = most_behind();
  return {bucket.index, bucket.served};
}

std::vector<std::uint32_t> Order::samples(const Turn& turn, const Share& share) {
  const auto found = std::find_if(buckets_.begin(), buckets_.end(), [&](const Bucket& bucket) {
    return bucket.index == turn.bucket;
  });
  if (found == buckets_.end())
    throw InternalError("no sample lies in bucket " + std::to_string(turn.bucket));
  auto entries = found->stream.entries(turn.number * batch_ + share.begin, share.size());
  for (auto& entry : entries) entry = found->samples[entry];
  return entries;
}

std::vector<std::int64_t> Order::times_taken(std::uint64_t steps) {
  std::vector<std::uint64_t> batches(buckets_.size(), steps);
  if (buckets_.size() > 1) {
    static_cast<void>(turn(steps));
    for (std::size_t i = 0; i < buckets_.size(); ++i) batches[i] = buckets_[i].served;
  }
  std::vector<std::int64_t> times(count_);
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const auto taken = buckets_[i].stream.times_taken(batches[i] * batch_);
    for (std::size_t k = 0; k < taken.size(); ++k) times[buckets_[i].samples[k]] = taken[k];
  }
  return times;
}

}  // namespace evd::data
