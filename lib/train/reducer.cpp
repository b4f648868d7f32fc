#include "train/reducer.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "mpi/request.hpp"
#include "train/aligned_buffer.hpp"

namespace evd::train {
namespace {

class LocalReducer final : public Reducer {
 public:
  explicit LocalReducer(std::size_t size) : buffer_(size) {}
  std::span<float> gradients() override { return buffer_.values(); }
  void begin() override { std::ranges::fill(buffer_.values(), 0.0F); }
  void ready(std::size_t) override {}
  std::span<const float> finish() override { return buffer_.values(); }

 private:
  AlignedBuffer buffer_;
};

class MpiReducer final : public Reducer {
 public:
  MpiReducer(const mpi::Communicator& world, std::size_t size, std::vector<Bucket> buckets)
      : world_(world), buffer_(size), buckets_(std::move(buckets)), is_ready_(buckets_.size()) {}

  std::span<float> gradients() override { return buffer_.values(); }

  void begin() override {
    std::ranges::fill(buffer_.values(), 0.0F);
    std::fill(is_ready_.begin(), is_ready_.end(), false);
    started_ = 0;
    requests_.clear();
  }

  // Collectives must start in one order on all ranks: in bucket order, whatever became ready first.
  void ready(std::size_t index) override {
    is_ready_[index] = true;
    for (; started_ < buckets_.size() && is_ready_[started_]; ++started_) {
      const auto& bucket = buckets_[started_];
      requests_.push_back(world_.start_all_reduce_sum(
          buffer_.values().subspan(bucket.begin, bucket.end - bucket.begin)));
    }
    for (auto& request : requests_) static_cast<void>(request.test());
  }

  std::span<const float> finish() override {
    if (started_ != buckets_.size()) throw InternalError("a gradient bucket never became ready");
    for (auto& request : requests_) request.wait();
    return buffer_.values();
  }

 private:
  const mpi::Communicator& world_;
  AlignedBuffer buffer_;
  std::vector<Bucket> buckets_;
  std::vector<bool> is_ready_;
  std::vector<mpi::Request> requests_;
  std::size_t started_ = 0;
};

}  // namespace

std::unique_ptr<Reducer> make_local_reducer(std::size_t size) {
  return std::make_unique<LocalReducer>(size);
}

std::unique_ptr<Reducer> make_mpi_reducer(const mpi::Communicator& world, std::size_t size,
                                          std::vector<Bucket> buckets) {
  return std::make_unique<MpiReducer>(world, size, std::move(buckets));
}

std::unique_ptr<Reducer> make_reducer(const mpi::Communicator& world, const mpi::Communicator& node,
                                      std::size_t size, std::vector<Bucket> buckets) {
  if (world.size() == 1) return make_local_reducer(size);
  // Asked of all ranks: a node may hold a single one while another holds the rest.
  const bool one_node =
      world.all_reduce(std::int64_t{node.size()}, mpi::Reduce::min) == std::int64_t{world.size()};
  if (one_node) return make_window_reducer(node, size, std::move(buckets));
  return make_mpi_reducer(world, size, std::move(buckets));
}

}  // namespace evd::train
