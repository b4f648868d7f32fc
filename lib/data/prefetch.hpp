#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/order.hpp"
#include "data/samples.hpp"

namespace evd::data {

/// One rank's part of the global batch of one step.
struct Batch {
  std::uint64_t step = 0;              ///< within the round
  std::uint64_t first = 0;             ///< place of the first item in the global batch
  int bucket = 0;                      ///< of all ranks' parts alike
  std::vector<std::uint32_t> indices;  ///< into the members, in the order of the stream
  std::vector<Loaded> samples;         ///< of the same size, in the order of indices
};

/// Prepares the batches of a round ahead of the trainer, in background threads that touch neither
/// MPI nor torch. Which samples a step takes: Order.
class Prefetch {
 public:
  struct Setup {
    std::uint64_t first_step = 0;  ///< where a resumed round goes on
    std::uint64_t end_step = 0;    ///< one past the last
    int rank = 0;
    int world_size = 1;
    int threads = 1;
    int ahead = 4;  ///< batches prepared at most before they are taken
  };
  /// Keeps a reference to `samples`.
  Prefetch(const Samples& samples, Order order, const Setup& setup);
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The next step's batch, in order; waits for it. Rethrows what preparing it threw.
  /// InternalError after the last step.
  [[nodiscard]] Batch next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::data
