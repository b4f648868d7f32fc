#include <algorithm>
#include <atomic>
#include <thread>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "mpi/shared_window.hpp"
#include "train/reducer.hpp"

namespace evd::train {
namespace {

constexpr std::size_t kLine = 64;     // bytes of a cache line: counters of their own
constexpr double kPatience_s = 1800;  // a rank that computes this long for one step hangs

/// A count in shared memory that one rank writes and the others watch.
class Counter {
 public:
  explicit Counter(std::byte* place) : value_(*reinterpret_cast<std::uint64_t*>(place)) {}
  void set(std::uint64_t value) { value_.store(value, std::memory_order_release); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic_ref<std::uint64_t> value_;
};

/// Every rank's part of the window: two counters, its gradients, and on rank 0 the sums.
class WindowReducer final : public Reducer {
 public:
  WindowReducer(const mpi::Communicator& node, std::size_t size, std::vector<Bucket> buckets)
      : rank_(node.rank()),
        ranks_(node.size()),
        size_(size),
        buckets_(std::move(buckets)),
        is_ready_(buckets_.size()),
        window_(node, 2 * kLine + padded(size) * (node.rank() == 0 ? 2 : 1)) {}

  std::span<float> gradients() override { return gradients_of(rank_); }

  void begin() override {
    std::ranges::fill(gradients(), 0.0F);
    std::fill(is_ready_.begin(), is_ready_.end(), false);
    published_ = summed_ = 0;
    ++step_;
  }

  void ready(std::size_t index) override {
    is_ready_[index] = true;
    while (published_ < buckets_.size() && is_ready_[published_]) ++published_;
    filled(rank_).set(count_of(published_));
    while (summed_ < published_ && all_filled(summed_)) sum_part(summed_++);
    summed(rank_).set(count_of(summed_));
  }

  std::span<const float> finish() override {
    if (published_ != buckets_.size()) throw InternalError("a gradient bucket never became ready");
    for (; summed_ < buckets_.size(); ++summed_) {
      const auto wanted = count_of(summed_ + 1);
      for (int rank = 0; rank < ranks_; ++rank) wait(filled(rank), wanted, rank);
      sum_part(summed_);
      summed(rank_).set(count_of(summed_ + 1));
    }
    for (int rank = 0; rank < ranks_; ++rank) wait(summed(rank), count_of(buckets_.size()), rank);
    return sums();
  }

 private:
  static std::size_t padded(std::size_t floats) {
    return (floats * sizeof(float) + kLine - 1) / kLine * kLine;
  }
  [[nodiscard]] std::byte* part(int rank) const { return window_.part(rank).data(); }
  [[nodiscard]] Counter filled(int rank) const { return Counter(part(rank)); }
  [[nodiscard]] Counter summed(int rank) const { return Counter(part(rank) + kLine); }
  [[nodiscard]] std::span<float> gradients_of(int rank) const {
    return {reinterpret_cast<float*>(part(rank) + 2 * kLine), size_};
  }
  [[nodiscard]] std::span<float> sums() const {
    return {reinterpret_cast<float*>(part(0) + 2 * kLine + padded(size_)), size_};
  }
  /// Counters only grow, so that no step needs a barrier to reset them.
  [[nodiscard]] std::uint64_t count_of(std::size_t buckets) const {
    return step_ * (buckets_.size() + 1) + buckets;
  }
  [[nodiscard]] bool all_filled(std::size_t bucket) const {
    for (int rank = 0; rank < ranks_; ++rank) {
      if (filled(rank).get() < count_of(bucket + 1)) return false;
    }
    return true;
  }

  // That every rank has filled this bucket says that it is done with the sums of the step before.
  void sum_part(std::size_t index) {
    const auto& bucket = buckets_[index];
    const std::size_t length = bucket.end - bucket.begin;
    const auto cut = [&](int rank) {
      return bucket.begin +
             length * static_cast<std::size_t>(rank) / static_cast<std::size_t>(ranks_);
    };
    const std::size_t begin = cut(rank_);
    const std::size_t end = cut(rank_ + 1);
    float* __restrict out = sums().data();
    std::copy_n(gradients_of(0).data() + begin, end - begin, out + begin);
    for (int rank = 1; rank < ranks_; ++rank) {
      const float* __restrict other = gradients_of(rank).data();
      for (std::size_t i = begin; i < end; ++i) out[i] += other[i];
    }
  }

  void wait(const Counter& counter, std::uint64_t wanted, int rank) const {
    if (counter.get() >= wanted) return;
    const double begun_s = monotonic_s();
    while (counter.get() < wanted) {
      std::this_thread::yield();
      if (monotonic_s() - begun_s > kPatience_s) {
        throw InternalError(
            format("gradient sum: waited %.0f s for rank %d of this node in step "
                   "%llu of this process",
                   kPatience_s, rank, static_cast<unsigned long long>(step_)));
      }
    }
  }

  int rank_;
  int ranks_;
  std::size_t size_;
  std::vector<Bucket> buckets_;
  std::vector<bool> is_ready_;
  mpi::SharedWindow window_;
  std::uint64_t step_ = 0;
  std::size_t published_ = 0;
  std::size_t summed_ = 0;
};

}  // namespace

std::unique_ptr<Reducer> make_window_reducer(const mpi::Communicator& node, std::size_t size,
                                             std::vector<Bucket> buckets) {
  return std::make_unique<WindowReducer>(node, size, std::move(buckets));
}

}  // namespace evd::train
