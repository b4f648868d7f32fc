#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/board.hpp"

namespace evd::train {

/// How long an operation may take before it counts as a hang, in seconds: never less than the
/// floors, and never less than ten times the mean of what its phase has taken so far.
class HangLimits {
 public:
  /// `step_floor_s` for the operations of a step, `phase_floor_s` for all others.
  HangLimits(double step_floor_s, double phase_floor_s)
      : step_floor_s_(step_floor_s), phase_floor_s_(phase_floor_s) {}
  /// An operation ended after `seconds`. Those of a step count together, from data to data.
  void took(Operation operation, double seconds);
  [[nodiscard]] double limit_s(Operation operation) const;

 private:
  struct Mean {
    double sum_s = 0;
    double count = 0;
    void add(double seconds);
  };
  double step_floor_s_;
  double phase_floor_s_;
  double step_so_far_s_ = 0;
  Mean step_;
  Mean checkpoint_;
  Mean validation_;
};

/// What the board tells of a job that stands still.
struct Hang {
  std::vector<std::string> lines;  ///< what to print, one fact a line
  /// All ranks' records move, and one that is behind has time left for its own operation: it will
  /// come, or end the job itself.
  bool is_worth_waiting = false;
};

/// Compares two looks at the board that lie several beats apart: a rank whose record did not move
/// is stopped or gone, one that is behind the foremost is waited for.
[[nodiscard]] Hang judge_hang(std::span<const std::optional<BoardRecord>> before,
                              std::span<const std::optional<BoardRecord>> now,
                              const HangLimits& limits, std::int64_t now_ms);

}  // namespace evd::train
