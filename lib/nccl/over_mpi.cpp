#include <cstring>
#include <vector>

#include "core/error.hpp"
#include "cuda/device.hpp"
#include "nccl/collectives.hpp"

namespace evd::nccl {
namespace {

class OverMpi final : public Collectives {
 public:
  OverMpi(const mpi::Communicator& world, Memory memory)
      : world_(world.duplicate()), memory_(memory) {}

  [[nodiscard]] bool goes_on_by_itself() const override { return false; }

  void reduce_scatter(const float* send, float* receive, std::size_t count) override {
    const std::size_t all = count * ranks();
    const std::span<const float> values(on_host(send, all), all);
    const std::span<float> own(to_host(receive, count), count);
    world_.start_reduce_scatter_sum(values, counts(count), own).wait();
    from_host(receive, own);
  }

  void all_gather(const void* send, void* receive, std::size_t bytes) override {
    if (bytes % sizeof(float) != 0) throw InternalError("all_gather of half a float");
    const std::size_t count = bytes / sizeof(float);
    const std::size_t all = count * ranks();
    const std::span<float> values(to_host(static_cast<float*>(receive), all), all);
    const auto own = values.subspan(count * static_cast<std::size_t>(world_.rank()), count);
    copy(own.data(), send, bytes);
    world_.start_all_gather(values, counts(count)).wait();
    from_host(static_cast<float*>(receive), values);
  }

  void join() override {}
  [[nodiscard]] std::string name() const override { return "MPI"; }

 private:
  [[nodiscard]] std::size_t ranks() const { return static_cast<std::size_t>(world_.size()); }
  [[nodiscard]] std::vector<int> counts(std::size_t count) const {
    return std::vector<int>(ranks(), static_cast<int>(count));
  }
  void copy(void* to, const void* from, std::size_t bytes) const {
    if (bytes == 0) return;
    if (memory_ == Memory::card) {
      cuda::copy(to, from, bytes);
    } else {
      std::memcpy(to, from, bytes);
    }
  }
  const float* on_host(const float* values, std::size_t count) {
    if (memory_ == Memory::host) return values;
    sent_.resize(count);
    copy(sent_.data(), values, count * sizeof(float));
    return sent_.data();
  }
  float* to_host(float* values, std::size_t count) {
    if (memory_ == Memory::host) return values;
    received_.resize(count);
    return received_.data();
  }
  void from_host(float* to, std::span<const float> values) const {
    if (memory_ == Memory::card) copy(to, values.data(), values.size_bytes());
  }

  mpi::Communicator world_;
  Memory memory_;
  std::vector<float> sent_;
  std::vector<float> received_;
};

}  // namespace

std::unique_ptr<Collectives> over_mpi(const mpi::Communicator& world, Memory memory) {
  return std::make_unique<OverMpi>(world, memory);
}

}  // namespace evd::nccl
