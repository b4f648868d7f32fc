#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "shard/training_rows.hpp"

namespace evd::train {

/// What the guard remembers; part of every checkpoint.
struct GuardMemory {
  std::vector<float> norms;           ///< gradient norms of the last applied steps, oldest first
  std::vector<std::int64_t> in_row;   ///< steps just before this one that were not applied
  std::vector<std::int64_t> skipped;  ///< steps that are never tried again, in order
};

enum class Verdict : std::uint8_t { apply, not_finite, spike };

/// Decides whether a step is applied, from numbers that are the same on all ranks. A step whose
/// loss or gradient is not finite is left out; so is one whose gradient norm is far above what it
/// was lately, since one such update can undo days of training. A step that is left out counts in
/// the order of the data, not in schedules or bias correction.
class Guard {
 public:
  struct Options {
    double spike_factor = 10;        ///< times the median of the last norms; 0 = never
    std::int64_t spike_after = 500;  ///< applied steps of the campaign
    std::int64_t max_in_row = 20;
  };
  static constexpr std::size_t kNorms = 200;

  /// `memory` must outlive it.
  Guard(Options options, GuardMemory& memory) : options_(options), memory_(memory) {}

  /// `updates`: steps applied before. Remembers what it decides.
  [[nodiscard]] Verdict judge(std::int64_t step, double loss, double gradient_norm,
                              std::int64_t updates);
  /// Too many steps in a row were left out: training is beyond help from here on.
  [[nodiscard]] bool is_lost() const;
  /// Whether the step is one that is never tried again.
  [[nodiscard]] bool skips(std::int64_t step) const;

 private:
  Options options_;
  GuardMemory& memory_;
};

/// Warns of a step that is left out, by the ids of the samples whose own loss is not finite, else
/// of its whole batch; of many the first few.
void name_culprits(Verdict verdict, std::span<const shard::Visit> visits, const shard::Step& step,
                   const Log& log);

}  // namespace evd::train
