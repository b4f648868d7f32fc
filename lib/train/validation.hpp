#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "shard/training_rows.hpp"
#include "train/backprop.hpp"
#include "train/state.hpp"
#include "train/trainer.hpp"
#include "train/validation_pictures.hpp"

namespace evd::train {

/// What a validation found; rank 0's.
struct Validated {
  std::vector<shard::Validation> rows;
  Sheet sheet;  ///< without bytes where no pictures are drawn
};

/// Looks at the weights every few steps: their loss, and the averaged weights', on members that are
/// never trained on, and pictures that the averaged weights draw. Training goes on as if it had not
/// been there, to the bit.
class Validation {
 public:
  /// `held_out`: indices of members. `pictures` may be null: no pictures.
  Validation(std::vector<std::size_t> held_out, std::unique_ptr<ValidationPictures> pictures)
      : held_out_(std::move(held_out)), pictures_(std::move(pictures)) {}

  /// The state is that behind an update, shared with all ranks. Every member is measured at
  /// kTimesteps timesteps, evenly over the schedule, with the same noise each time, with its
  /// caption and without error weights; members are shared among the ranks. Collective.
  [[nodiscard]] Validated run(const Round& round, State& state, const Backprop& backprop,
                              Exchange& exchange) const;

  static constexpr std::size_t kTimesteps = 16;

 private:
  [[nodiscard]] std::vector<shard::Validation> losses(const Round& round, const State& state,
                                                      const Backprop& backprop,
                                                      bool averaged) const;

  std::vector<std::size_t> held_out_;
  std::unique_ptr<ValidationPictures> pictures_;
};

}  // namespace evd::train
