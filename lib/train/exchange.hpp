#pragma once

#include <memory>
#include <span>

#include "train/activity.hpp"
#include "train/state.hpp"

namespace at {
class Tensor;
}

namespace evd::train {

/// What the ranks exchange in a step: a reduce-scatter of gradients that runs while backward still
/// fills them, and an all-gather of the updated weights. One step is: begin(); fill gradients(),
/// calling ready(i) once per bucket, in any order; finish(); update() the owned parts of the state;
/// share_weights(). Equal inputs give equal bits at equal world size, ranks per node and libraries.
class Exchange {
 public:
  virtual ~Exchange() = default;
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Told of every bucket that is summed, with its times; must outlive the exchange.
  void tell(const Activity& activity) { activity_ = &activity; }

  /// What is computed with: layout.size() elements and perhaps more, where the engine computes and
  /// in its type. Right after share_weights().
  [[nodiscard]] virtual const at::Tensor& weights() const = 0;
  /// Where this rank's gradients accumulate, as many floats; the same memory for the exchange's
  /// whole life.
  [[nodiscard]] virtual const at::Tensor& gradients() const = 0;
  /// Zeroes gradients(), once nobody reads them any more.
  virtual void begin() = 0;
  /// Bucket `index` of this rank holds its final values. Called by the thread that runs backward.
  virtual void ready(std::size_t index) = 0;
  /// Waits until the owned part of every bucket is summed over all ranks. No rank computes with the
  /// weights any more.
  virtual void finish() = 0;
  /// The summed gradient of this rank's part of a bucket, for the host to read until the next call.
  [[nodiscard]] virtual std::span<const float> own_gradient(std::size_t bucket) = 0;
  /// The same where the engine computes.
  [[nodiscard]] virtual at::Tensor own_sum(std::size_t bucket) const = 0;
  /// Sum of squares over this rank's parts, in double and in a fixed order.
  [[nodiscard]] virtual double own_squared_norm() const = 0;
  /// Applies update number `number`, counted from 1, to this rank's parts of the state.
  virtual void update(const AdamW& adamw, std::int64_t number, double gradient_scale) = 0;
  /// Gives every rank the master weights of all as weights(). Also where nothing was updated.
  virtual void share_weights() = 0;
  /// "shared memory and MPI", "NCCL 2.28.9".
  [[nodiscard]] virtual std::string name() const = 0;

 protected:
  [[nodiscard]] const Activity* activity() const { return activity_; }

 private:
  const Activity* activity_ = nullptr;
};

/// The exchange of the state's engine. Collective. The state must outlive it.
[[nodiscard]] std::unique_ptr<Exchange> make_exchange(State& state);

}  // namespace evd::train
