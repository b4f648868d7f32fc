#include <set>
#include <thread>

#include <nccl.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "cuda/check.hpp"
#include "cuda/device.hpp"
#include "nccl/collectives.hpp"

namespace evd::nccl {
namespace {

// LibTorch computes on the legacy default stream.
constexpr cudaStream_t kCompute = nullptr;

void check(ncclResult_t code, ncclComm_t communicator, std::string_view call) {
  if (code == ncclSuccess || code == ncclInProgress) return;
  const char* more = ncclGetLastError(communicator);
  throw InternalError(std::string(call) + ": " + ncclGetErrorString(code) +
                      (more != nullptr && *more != '\0' ? std::string(" (") + more + ")" : ""));
}

/// A stream of its own, so that sums run beside backward.
class Stream {
 public:
  Stream() {
    cuda::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  ~Stream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  [[nodiscard]] cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() {
    cuda::check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
  }
  ~Event() { static_cast<void>(cudaEventDestroy(event_)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  /// What `later` is given from now on waits for what `earlier` was given before.
  void order(cudaStream_t earlier, cudaStream_t later) {
    cuda::check(cudaEventRecord(event_, earlier), "cudaEventRecord");
    cuda::check(cudaStreamWaitEvent(later, event_, 0), "cudaStreamWaitEvent");
  }

 private:
  cudaEvent_t event_ = nullptr;
};

class OverNccl final : public Collectives {
 public:
  OverNccl(const mpi::Communicator& world, double patience_s) : patience_s_(patience_s) {
    ncclUniqueId id{};
    if (world.rank() == 0) check(ncclGetUniqueId(&id), nullptr, "ncclGetUniqueId");
    world.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
    // Does not block: ranks that never come are told of, not waited for.
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    check(ncclCommInitRankConfig(&communicator_, world.size(), id, world.rank(), &config),
          communicator_, "ncclCommInitRankConfig");
    settle("the ranks' cards to find each other (NCCL_DEBUG=INFO says more)");
  }

  ~OverNccl() override {
    // Destroying waits for the other ranks, aborting does not: some may be gone.
    static_cast<void>(ncclCommAbort(communicator_));
  }

  [[nodiscard]] bool goes_on_by_itself() const override { return true; }

  void reduce_scatter(const float* send, float* receive, std::size_t count) override {
    event_.order(kCompute, stream_.get());
    check(ncclReduceScatter(send, receive, count, ncclFloat, ncclSum, communicator_, stream_.get()),
          communicator_, "ncclReduceScatter");
    settle("a reduce-scatter to begin");
  }

  void all_gather(const void* send, void* receive, std::size_t bytes) override {
    event_.order(kCompute, stream_.get());
    check(ncclAllGather(send, receive, bytes, ncclChar, communicator_, stream_.get()),
          communicator_, "ncclAllGather");
    settle("an all-gather to begin");
  }

  void join() override { event_.order(stream_.get(), kCompute); }

  [[nodiscard]] std::string name() const override {
    int version = 0;
    static_cast<void>(ncclGetVersion(&version));
    return format("NCCL %d.%d.%d", version / 10000, version / 100 % 100, version % 100);
  }

 private:
  /// A call of a communicator that does not block is under way until this says otherwise.
  void settle(const char* what) {
    const double begun_s = monotonic_s();
    for (;;) {
      ncclResult_t state = ncclSuccess;
      check(ncclCommGetAsyncError(communicator_, &state), communicator_, "ncclCommGetAsyncError");
      check(state, communicator_, std::string("wait for ") + what);
      if (state == ncclSuccess) return;
      if (monotonic_s() - begun_s > patience_s_) {
        throw InternalError(format("waited %.0f s for %s", patience_s_, what));
      }
      std::this_thread::yield();
    }
  }

  double patience_s_;
  ncclComm_t communicator_ = nullptr;
  Stream stream_;
  Event event_;
};

/// NCCL knows a card once only.
bool has_card_twice(const mpi::Communicator& world) {
  const std::string own = cuda::facts().uuid;
  const auto all = world.gather(std::as_bytes(std::span(own)), 0);
  std::string answer = "no";
  std::set<std::string> seen;
  for (const auto& bytes : all) {
    const std::string uuid(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!seen.insert(uuid).second) answer = "yes";
  }
  return world.broadcast(answer, 0) == "yes";
}

}  // namespace

std::unique_ptr<Collectives> between_cards(const mpi::Communicator& world, double patience_s) {
  if (has_card_twice(world)) return over_mpi(world, Memory::card);
  return std::make_unique<OverNccl>(world, patience_s);
}

}  // namespace evd::nccl
