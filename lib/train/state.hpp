#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "mpi/shared_window.hpp"
#include "nn/model_file.hpp"
#include "train/adamw.hpp"
#include "train/aligned_buffer.hpp"
#include "train/guard.hpp"
#include "train/sharding.hpp"

namespace evd::train {

/// Where training stands. Data order, noise and timesteps are functions of these, so there is no
/// random state.
struct Counters {
  std::int64_t step = 0;        ///< steps of the whole campaign so far
  std::int64_t updates = 0;     ///< of them, those that were applied
  std::int64_t round_step = 0;  ///< steps of this round so far
};

/// The flat buffers that a checkpoint holds.
enum class Kind : std::uint8_t { master, exp_avg, exp_avg_sq, ema0 };
inline constexpr std::array kKinds = {Kind::master, Kind::exp_avg, Kind::exp_avg_sq, Kind::ema0};
/// As in a piece's file name.
[[nodiscard]] std::string_view name_of(Kind kind);

/// Everything that the next step depends on. The weights are those that are computed with and the
/// master at once: one buffer in a node's shared memory, of which every rank updates its parts.
/// Moments and average exist for this rank's parts only, one part after another.
class State {
 public:
  /// Collective over the ranks of a node. `sharding` must outlive it. All values are zero.
  explicit State(const Sharding& sharding);

  /// layout.size() elements, shared by the node's ranks.
  [[nodiscard]] std::span<float> weights() const;
  /// This rank's part of a bucket of any buffer.
  [[nodiscard]] std::span<float> own(Kind kind, std::size_t bucket);
  [[nodiscard]] std::span<const float> own(Kind kind, std::size_t bucket) const;
  /// The four of them, for one update.
  [[nodiscard]] Parameters own_parameters(std::size_t bucket);

  [[nodiscard]] const Sharding& sharding() const { return sharding_; }

  Counters counters;
  GuardMemory guard;
  std::vector<float> null_text;  ///< (max_tokens, caption_width), never trained

  /// Gives the node's ranks each other's writes to weights(). Collective over the node.
  void fence() const { weights_.fence(); }

 private:
  const Sharding& sharding_;
  mpi::SharedWindow weights_;
  AlignedBuffer exp_avg_;
  AlignedBuffer exp_avg_sq_;
  AlignedBuffer ema_;
  std::vector<std::size_t> places_;  // of each bucket's part in the three
};

/// Weights as drawn or read, moments and counters at zero, the average a copy, the guard without a
/// memory: whatever the state was before. Collective; `load` is called on one rank of each node.
void start_fresh(State& state, const std::function<nn::Weights()>& load);

/// InternalError when nodes hold different weights: they must never drift apart.
void check_equal(const State& state);

}  // namespace evd::train
