#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nn/layout.hpp"
#include "train/activity.hpp"
#include "train/batch.hpp"
#include "train/exchange.hpp"

namespace evd::train {

/// Loss and time of one forward and backward pass over this rank's part.
struct Pass {
  std::vector<float> losses;  ///< of each sample
  double forward_s = 0;       ///< on a card: until all of it was asked for
  double backward_s = 0;
};

/// The network under training, over the exchange's weights and where they lie: gradients accumulate
/// in the exchange's flat buffer, and each bucket is handed to the exchange as soon as backward has
/// finished it.
class Backprop {
 public:
  /// `sharding` and `exchange` must outlive it.
  Backprop(const Sharding& sharding, std::span<const float> null_text, Exchange& exchange);
  ~Backprop();
  Backprop(const Backprop&) = delete;
  Backprop& operator=(const Backprop&) = delete;

  /// From the next run on, what blocks make on the way is computed anew in backward, not kept.
  void recompute_blocks();

  /// Adds the gradient of sum(losses) / global_batch to the exchange's buffer, `micro_batch`
  /// samples at a time (0 = all at once): memory for activations against time. A rank without
  /// samples takes part with zeros. InternalError naming a parameter that got no gradient.
  /// `enters` is told when forward and backward of a micro-batch begin.
  [[nodiscard]] Pass run(const Part& part, std::size_t global_batch, std::size_t micro_batch = 0,
                         const std::function<void(Operation)>& enters = {});
  /// The largest attention logits of each block over the part's samples, self and cross by turns.
  [[nodiscard]] std::vector<double> attention_logits(const Part& part) const;
  /// The loss of each sample, without a gradient.
  [[nodiscard]] std::vector<float> losses(const Part& part) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::train
