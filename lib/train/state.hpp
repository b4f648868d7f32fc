#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "mpi/shared_window.hpp"
#include "nn/device.hpp"
#include "nn/model_file.hpp"
#include "run/train_options.hpp"
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

/// The flat buffers that a checkpoint holds. ema0 is what is sampled; the others are there where
/// train.more_emas asks for them.
enum class Kind : std::uint8_t { master, exp_avg, exp_avg_sq, ema0, ema1, ema2, ema3 };
inline constexpr std::array kKinds = {Kind::master, Kind::exp_avg, Kind::exp_avg_sq, Kind::ema0,
                                      Kind::ema1,   Kind::ema2,    Kind::ema3};
/// Those of a state with so many averages.
[[nodiscard]] inline std::span<const Kind> kinds_of(std::size_t averages) {
  return std::span(kKinds).first(kKinds.size() - 1 - run::TrainOptions::kMostMoreEmas + averages);
}
/// As in a piece's file name.
[[nodiscard]] std::string_view name_of(Kind kind);

/// Everything that the next step depends on. Where the engine is plain, the weights are those that
/// are computed with and the master at once: one buffer in a node's shared memory, of which every
/// rank updates its parts. Elsewhere the master exists for this rank's parts only, as moments and
/// average always do, one part after another, where the card reads it (and the host too).
class State {
 public:
  /// Collective over the ranks of a node. `sharding` must outlive it, and be made with
  /// node_of(). All values are zero.
  explicit State(const Sharding& sharding, const nn::Engine& engine = {},
                 std::vector<double> more_decays = {});

  /// layout.size() elements, shared by the node's ranks. Of a plain engine only: InternalError.
  [[nodiscard]] std::span<float> weights() const;
  /// This rank's part of a bucket of any buffer.
  [[nodiscard]] std::span<float> own(Kind kind, std::size_t bucket);
  [[nodiscard]] std::span<const float> own(Kind kind, std::size_t bucket) const;
  /// All of them, for one update.
  [[nodiscard]] Parameters own_parameters(std::size_t bucket);

  [[nodiscard]] const Sharding& sharding() const { return sharding_; }
  [[nodiscard]] const nn::Engine& engine() const { return engine_; }
  [[nodiscard]] std::size_t averages() const { return emas_.size(); }
  /// Of the averages behind the first.
  [[nodiscard]] const std::vector<double>& more_decays() const { return more_decays_; }
  [[nodiscard]] std::span<const Kind> kinds() const { return kinds_of(averages()); }

  Counters counters;
  GuardMemory guard;
  std::vector<float> null_text;  ///< (max_tokens, caption_width), never trained

  /// Gives the node's ranks each other's writes to weights(). Collective over the node.
  void fence() const { weights_.fence(); }

 private:
  const Sharding& sharding_;
  nn::Engine engine_;
  mpi::SharedWindow weights_;  // empty unless the engine is plain
  AlignedBuffer master_;       // empty if it is
  AlignedBuffer exp_avg_;
  AlignedBuffer exp_avg_sq_;
  std::vector<AlignedBuffer> emas_;
  std::vector<double> more_decays_;
  std::vector<std::size_t> places_;  // of each bucket's part in them
};

/// The communicator that Sharding takes for the ranks of a node: `node` itself where they share
/// their weights; where each computes with its own, every rank counts as a node. Collective.
/// ConfigurationError when some have a card and others none.
[[nodiscard]] mpi::Communicator node_of(const nn::Engine& engine, const mpi::Communicator& world,
                                        const mpi::Communicator& node);

/// How much of a gradient is reduced at once: cards want larger pieces.
[[nodiscard]] std::size_t bucket_bytes_of(const nn::Engine& engine);

/// Weights as drawn or read, moments and counters at zero, the averages copies, the guard without a
/// memory: whatever the state was before. Collective; `load` is called on one rank of each node of
/// the sharding.
void start_fresh(State& state, const std::function<nn::Weights()>& load);

/// InternalError when ranks compute with different weights: they must never drift apart. `weights`:
/// the bytes that this one computes with. Collective.
void check_equal(const State& state, std::span<const std::byte> weights);

}  // namespace evd::train
