#pragma once

#include <memory>
#include <span>
#include <vector>

#include "nn/layout.hpp"
#include "train/batch.hpp"
#include "train/buckets.hpp"
#include "train/reducer.hpp"

namespace evd::train {

/// Loss and time of one forward and backward pass over this rank's part.
struct Pass {
  std::vector<float> losses;  ///< of each sample
  double forward_s = 0;
  double backward_s = 0;
};

/// The network under training: weights live in the caller's flat buffer, gradients in the
/// reducer's, and each bucket is handed to the reducer as soon as backward has finished it.
class Backprop {
 public:
  /// `weights` (layout.size(), 64-byte aligned) and `reducer` must outlive it.
  Backprop(const nn::Layout& layout, std::span<float> weights, std::span<const float> null_text,
           const Cut& cut, Reducer& reducer);
  ~Backprop();
  Backprop(const Backprop&) = delete;
  Backprop& operator=(const Backprop&) = delete;

  /// Adds the gradient of sum(losses) / global_batch to the reducer's buffer, and
  /// sum(losses) / global_batch and `wish_to_stop` to its scalars. A rank without samples takes
  /// part with zeros. InternalError naming a parameter that got no gradient.
  [[nodiscard]] Pass run(const Part& part, std::size_t global_batch, bool wish_to_stop);

  /// Places of the scalars behind the parameters.
  static constexpr std::size_t kLoss = 0;
  static constexpr std::size_t kStop = 1;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::train
