#pragma once

#include <functional>
#include <memory>

#include "run/program.hpp"
#include "train/activity.hpp"
#include "train/checkpoint.hpp"
#include "train/event_curves.hpp"
#include "train/loss_groups.hpp"
#include "train/rates.hpp"
#include "train/trainer.hpp"
#include "train/validation.hpp"

namespace evd::train {

/// Keeps a round's books: rows, progress, curves, when a checkpoint is due, and where to go back to
/// when training is lost. Every rank has one; rows, progress and curves are rank 0's.
class Bookkeeper {
 public:
  /// All must outlive it. `rows`: of the round so far.
  Bookkeeper(run::Context& context, Checkpoints& checkpoints, State& state, RoundRows rows,
             LossGroups groups, const Activity& activity);

  /// After each step, on every rank; false = stop here (saved). Collective.
  bool after(const Told& told);

  /// After each validation; nothing = it was stopped before its end. False = stop here (saved).
  /// Collective.
  bool looked(const std::optional<Validated>& found);
  /// Steps of the campaign at the last validation whose losses are kept; -1 = none. Collective.
  [[nodiscard]] std::int64_t last_validated() const;

  /// Training is lost: fills the state from the newest checkpoint that at least train.max_skipped
  /// applied steps followed, or by `start`, from where the round began; the steps that were left
  /// out in a row are not tried again. A function of what happened, so that the same run goes the
  /// same way again. Collective. DataError after kMostTimes: the steps are not what is wrong.
  void go_back(const std::function<void()>& start);

  [[nodiscard]] const RoundRows& rows() const { return rows_; }
  [[nodiscard]] const Times& times() const { return times_; }
  [[nodiscard]] double checkpoint_s() const { return checkpoints_.pause_s(); }
  [[nodiscard]] double validation_s() const { return validation_s_; }
  [[nodiscard]] std::int64_t times_gone_back() const { return times_gone_back_; }

  static constexpr std::int64_t kMostTimes = 10;

 private:
  void show(const Told& told);
  void keep(const Validated& found);
  void keep_sheet(const Sheet& sheet);

  run::Context& context_;
  Checkpoints& checkpoints_;
  const Activity& activity_;
  State& state_;
  RoundRows rows_;
  Times times_;
  LossGroups groups_;
  RateMeter meter_;
  std::unique_ptr<EventCurves> curves_;
  std::int64_t times_gone_back_ = 0;
  double validation_s_ = 0;
};

}  // namespace evd::train
