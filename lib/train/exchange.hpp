#pragma once

#include <memory>
#include <span>

#include "train/activity.hpp"
#include "train/sharding.hpp"

namespace evd::train {

/// What the ranks exchange in a step: a reduce-scatter of gradients that runs while backward still
/// fills them, and an all-gather of the updated weights. One step is: begin(); fill gradients(),
/// calling ready(i) once per bucket, in any order; finish(); update the owned parts of the weights;
/// share_weights().
///
/// Inside a node gradients lie in shared memory, and each rank sums its portion straight from its
/// neighbours' buffers, in rank order (125 MB between 2 ranks: 9 ms, where MPI_Reduce_scatter_block
/// takes 142). Between nodes one non-blocking MPI reduce-scatter per portion follows; it makes
/// progress only inside MPI calls, which ready() makes after every bucket of backward and finish()
/// until all are done. Equal inputs give equal bits at equal world size, ranks per node and MPI
/// library. One thread.
class Exchange {
 public:
  /// Collective. `weights`: the node's shared buffer, layout.size() elements. Both must outlive it.
  Exchange(const Sharding& sharding, std::span<float> weights);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Told of every bucket that is summed, with its times; must outlive the exchange.
  void tell(const Activity& activity);

  /// Where this rank's gradients accumulate, layout.size() elements; the same memory for the
  /// exchange's whole life.
  [[nodiscard]] std::span<float> gradients();
  /// Zeroes gradients(), once no neighbour reads them any more.
  void begin();
  /// Bucket `index` of this rank holds its final values.
  void ready(std::size_t index);
  /// Waits until the owned part of every bucket is summed over all ranks. No rank computes with the
  /// weights any more.
  void finish();
  /// The summed gradient of this rank's part of a bucket, valid until begin().
  [[nodiscard]] std::span<float> own_gradient(std::size_t bucket);
  /// Sum of squares over this rank's parts, in double and in a fixed order.
  [[nodiscard]] double own_squared_norm() const;
  /// Gives every rank the parts of `weights` that the others own. Also where nothing was updated.
  void share_weights();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::train
