#include "train/event_curves.hpp"

#include <cmath>
#include <string>

#include "core/clock.hpp"

namespace evd::train {
namespace {

constexpr double kFlushEvery_s = 10;

}  // namespace

void EventCurves::step(const shard::Step& step, const Rates& rates) {
  const auto add = [&](const char* tag, double value) { events_.scalar(tag, step.step, value); };
  if (!step.skipped) {
    add("training/loss", double{step.loss});
    add("training/gradient_norm", double{step.gradient_norm});
    add("training/learning_rate", double{step.learning_rate});
  }
  add("training/skipped", step.skipped ? 1 : 0);
  add("seconds/data", double{step.data_s});
  add("seconds/forward", double{step.forward_s});
  add("seconds/backward", double{step.backward_s});
  add("seconds/reduce", double{step.reduce_s});
  add("seconds/optimizer", double{step.optimizer_s});
  if (rates.images_per_s > 0) {
    add("speed/images_per_s", rates.images_per_s);
    add("speed/tokens_per_s", rates.tokens_per_s);
    add("speed/tflop_per_s", rates.flops_per_s / 1e12);
    if (rates.utilisation > 0) add("speed/mfu", rates.utilisation);
  }
  const double now_s = monotonic_s();
  if (now_s - flushed_s_ < kFlushEvery_s) return;
  events_.flush();
  flushed_s_ = now_s;
}

void EventCurves::losses(std::int64_t step, std::span<const double> by_timestep) {
  for (std::size_t bin = 0; bin < by_timestep.size(); ++bin) {
    if (std::isfinite(by_timestep[bin])) {
      events_.scalar("loss_by_timestep/" + std::to_string(bin), step, by_timestep[bin]);
    }
  }
}

void EventCurves::losses(std::int64_t step,
                         std::span<const std::pair<std::string, double>> by_group) {
  for (const auto& [group, loss] : by_group) events_.scalar("loss_by_" + group, step, loss);
}

void EventCurves::blocks(std::span<const shard::Block> rows) {
  for (const auto& row : rows) {
    events_.scalar("gradient_norm/" + row.part.text, row.step, double{row.gradient_norm});
    events_.scalar("weight_norm/" + row.part.text, row.step, double{row.weight_norm});
    events_.scalar("update_over_weight/" + row.part.text, row.step, double{row.update_ratio});
    if (!std::isfinite(row.self_logit)) continue;
    events_.scalar("largest_logit_self/" + row.part.text, row.step, double{row.self_logit});
    events_.scalar("largest_logit_cross/" + row.part.text, row.step, double{row.cross_logit});
  }
}

void EventCurves::validation(std::int64_t step, double trained, double averaged) {
  events_.scalar("validation/loss", step, trained);
  events_.scalar("validation/loss_averaged", step, averaged);
}

void EventCurves::pictures(std::int64_t step, const run::SummaryImage& sheet) {
  events_.image("validation/pictures", step, sheet);
}

}  // namespace evd::train
