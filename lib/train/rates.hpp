#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "train/flops.hpp"

namespace evd::train {

/// How fast training is, over all ranks.
struct Rates {
  double images_per_s = 0;
  double tokens_per_s = 0;  ///< of pictures
  double flops_per_s = 0;   ///< of the model: forward and backward once, whatever is done again
  double utilisation = 0;   ///< share of the peak (MFU); 0 = the peak is not known
};

/// "312 images/s, 5.0e+03 tokens/s, 1.2 TFLOP/s, MFU 41 %".
[[nodiscard]] std::string to_text(const Rates& rates);

/// Rates over the last steps, so that they follow what steps cost now.
class RateMeter {
 public:
  /// `peak_flops_per_s` of all ranks together; 0 = unknown.
  RateMeter(const nn::NetworkOptions& network, const nn::DiffusionOptions& diffusion,
            std::int64_t batch, double peak_flops_per_s)
      : network_(network), diffusion_(diffusion), batch_(batch), peak_(peak_flops_per_s) {}

  /// A step has ended at `now_s` whose texts had `text_tokens` in all.
  void step(double now_s, std::int64_t text_tokens);
  /// Zero until two steps have ended.
  [[nodiscard]] Rates rates() const;

 private:
  struct Ended {
    double at_s = 0;
    double flops = 0;
  };
  static constexpr std::size_t kSteps = 20;
  nn::NetworkOptions network_;
  nn::DiffusionOptions diffusion_;
  std::int64_t batch_;
  double peak_;
  std::deque<Ended> ended_;
};

}  // namespace evd::train
