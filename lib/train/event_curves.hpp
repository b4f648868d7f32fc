#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "run/tensorboard.hpp"
#include "shard/training_rows.hpp"
#include "train/rates.hpp"

namespace evd::train {

/// The curves of training for TensorBoard: one run over all rounds of a campaign, by campaign step.
/// Rank 0 only. They are for looking at while it runs; what counts is steps.h5.
class EventCurves {
 public:
  /// `first_step` of this life, counted over the campaign.
  EventCurves(const std::filesystem::path& folder, std::string_view life, std::int64_t first_step,
              const Log& log)
      : events_(folder, life, first_step, log) {}
  /// Hands over what it has at the end.
  ~EventCurves() { events_.flush(); }
  EventCurves(const EventCurves&) = delete;
  EventCurves& operator=(const EventCurves&) = delete;

  /// A step that was left out has no loss and no norm here: they may be no numbers.
  void step(const shard::Step& step, const Rates& rates);

  /// Mean losses by tenths of the timesteps, from little noise to much; NaN = no sample.
  void losses(std::int64_t step, std::span<const double> by_timestep);
  /// Mean losses of LossGroups.
  void losses(std::int64_t step, std::span<const std::pair<std::string, double>> by_group);
  void blocks(std::span<const shard::Block> rows);

  /// Mean loss on held-out samples, of the weights that are trained and of the averaged ones.
  void validation(std::int64_t step, double trained, double averaged);
  void pictures(std::int64_t step, const run::SummaryImage& sheet);

  void flush() { events_.flush(); }

  /// Where a campaign's curves lie: `tensorboard --logdir DIR/logs/tensorboard`.
  [[nodiscard]] static std::filesystem::path folder_in(const std::filesystem::path& campaign) {
    return campaign / "logs" / "tensorboard" / "train";
  }

 private:
  run::EventFile events_;
  double flushed_s_ = 0;
};

}  // namespace evd::train
