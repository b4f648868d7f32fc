#include "train/rates.hpp"

#include "core/text.hpp"

namespace evd::train {

std::string to_text(const Rates& rates) {
  const auto flops = rates.flops_per_s >= 1e12 ? format("%.3g TFLOP/s", rates.flops_per_s / 1e12)
                                               : format("%.3g GFLOP/s", rates.flops_per_s / 1e9);
  std::string text =
      format("%.3g images/s, %.3g tokens/s, ", rates.images_per_s, rates.tokens_per_s) + flops;
  if (rates.utilisation > 0) text += format(", MFU %.0f %%", 100 * rates.utilisation);
  return text;
}

void RateMeter::step(double now_s, std::int64_t text_tokens) {
  const PassShape shape{batch_, tokens_of(network_), text_tokens};
  ended_.push_back({now_s, training_flops(network_, diffusion_, shape)});
  if (ended_.size() > kSteps + 1) ended_.pop_front();
}

Rates RateMeter::rates() const {
  if (ended_.size() < 2) return {};
  const double seconds = ended_.back().at_s - ended_.front().at_s;
  if (seconds <= 0) return {};
  double flops = 0;
  for (std::size_t i = 1; i < ended_.size(); ++i) flops += ended_[i].flops;
  Rates rates;
  rates.images_per_s =
      static_cast<double>(batch_) * static_cast<double>(ended_.size() - 1) / seconds;
  rates.tokens_per_s = rates.images_per_s * static_cast<double>(tokens_of(network_));
  rates.flops_per_s = flops / seconds;
  if (peak_ > 0) rates.utilisation = rates.flops_per_s / peak_;
  return rates;
}

}  // namespace evd::train
