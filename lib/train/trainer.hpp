#pragma once

#include <functional>
#include <vector>

#include "data/members.hpp"
#include "data/samples.hpp"
#include "run/config.hpp"
#include "shard/training_rows.hpp"
#include "train/activity.hpp"
#include "train/backprop.hpp"
#include "train/features.hpp"
#include "train/guard.hpp"
#include "train/state.hpp"

namespace evd::train {

class Validation;
struct Validated;

/// Wall seconds of one rank by activity.
struct Times {
  double data_s = 0;
  double forward_s = 0;
  double backward_s = 0;
  double reduce_s = 0;
  double optimizer_s = 0;
};

/// The samples of a round and how they are trained on.
struct Round {
  int number = 0;
  std::uint64_t seed = 0;  ///< of the campaign
  const run::TrainOptions& options;
  std::span<const data::Member> members;
  const data::Samples& samples;
  const SizeBuckets& buckets;
  std::span<const int> turns;               ///< bucket of each member, as data::Order takes them
  double latent_scale = 1;                  ///< Noising::latent_scale
  std::optional<nn::TextStates> null_text;  ///< Noising::null_text
  Activity activity{};
  Validation* validation = nullptr;  ///< null = none
  /// Told of each validation, with the state as it is then, and of one that was stopped before its
  /// end (nothing); returns whether to go on. Collective.
  std::function<bool(const std::optional<Validated>&)> looked{};
};

/// What make_part() is told of a member in a bucket (data::Order's) as entry `number`.
[[nodiscard]] Entry entry_of(const Round& round, std::size_t member, int bucket,
                             std::uint64_t number);

/// What a caller is told after each step, with the state as it is then. Rows are rank 0's.
struct Told {
  const shard::Step& step;
  Times times;
  bool stop = false;                       ///< some rank wishes to stop: save and leave
  std::span<const shard::Visit> visits{};  ///< none of a step that is left out for good
  std::span<const shard::Block> blocks{};  ///< every options.block_norms_every steps
  std::int64_t text_tokens = 0;            ///< of the global batch, by this rank's share
};

/// How train_round() ended: at the round's end, because `after` said so, or because so many steps
/// in a row were left out that going on is of no use (state.guard.in_row names them).
enum class RoundEnd : std::uint8_t { finished, stopped, lost };

/// Trains `state` from its round_step to the end of the round. `after` is called after every step
/// on every rank and returns whether to go on. Collective.
[[nodiscard]] RoundEnd train_round(const Round& round, State& state, const std::atomic<bool>& stop,
                                   const Log& log, const std::function<bool(const Told&)>& after);

}  // namespace evd::train
