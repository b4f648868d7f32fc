#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "shard/training_rows.hpp"
#include "train/backprop.hpp"
#include "train/state.hpp"
#include "train/trainer.hpp"
#include "train/validation_pictures.hpp"

namespace evd::train {

/// What a validation found; rows and sheet are rank 0's.
struct Validated {
  std::vector<shard::Validation> rows;
  Sheet sheet;  ///< without bytes where no pictures are drawn
  double seconds = 0;
};

/// Looks at the weights every few steps: their loss, and the averaged weights', on members that are
/// never trained on, and pictures that the averaged weights draw. Training goes on as if it had not
/// been there, to the bit.
class Validation {
 public:
  /// `held_out`: indices of members. `pictures` may be null: none.
  Validation(std::vector<std::size_t> held_out, std::unique_ptr<ValidationPictures> pictures)
      : held_out_(std::move(held_out)), pictures_(std::move(pictures)) {}

  /// `step`: steps of the campaign at the last validation that is kept, -1 = none.
  void begin(std::int64_t step) { last_ = step; }
  /// Between two steps of a round, and at its end.
  [[nodiscard]] bool is_due(const Counters& at, int every) const {
    return at.round_step > 0 && at.step % every == 0 && at.step != last_;
  }
  /// The state is shared with all ranks. Every member is measured at kTimesteps timesteps, evenly
  /// over the schedule, with the same noise each time, with its caption and without error weights;
  /// members are shared among the ranks. Nothing when some rank wishes to `stop` before the end.
  /// Collective.
  [[nodiscard]] std::optional<Validated> run(const Round& round, State& state,
                                             const Backprop& backprop, Exchange& exchange,
                                             const std::atomic<bool>& stop);

  static constexpr std::size_t kTimesteps = 16;

 private:
  using GoesOn = std::function<bool()>;
  /// Adds rows on rank 0; false when it does not go on.
  [[nodiscard]] bool measure(const Round& round, const State& state, const Backprop& backprop,
                             bool averaged, const GoesOn& goes_on,
                             std::vector<shard::Validation>& rows) const;

  std::vector<std::size_t> held_out_;
  std::unique_ptr<ValidationPictures> pictures_;
  std::int64_t last_ = -1;
};

}  // namespace evd::train
