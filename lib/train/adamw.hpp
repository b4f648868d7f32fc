#pragma once

#include <cstdint>
#include <span>

namespace evd::train {

/// AdamW with decoupled weight decay and bias correction (Loshchilov and Hutter, 2019; the same
/// update as torch.optim.AdamW), on every parameter: biases and tables too, as in PixArt.
struct AdamW {
  double learning_rate = 0;
  double weight_decay = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double ema = 0;  ///< decay of the averaged weights
};

/// The flat buffers of one set of parameters, all of one length.
struct Parameters {
  std::span<float> weights;
  std::span<float> first_moment;
  std::span<float> second_moment;
  std::span<float> average;  ///< exponential moving average of the weights
};

/// One update in a single pass over memory: gradient times `gradient_scale`, moments, decay, step,
/// average. `update` counts applied updates from 1. The result has the same bits on every
/// instruction set.
void update(const AdamW& adamw, std::int64_t update, const Parameters& parameters,
            std::span<const float> gradient, double gradient_scale);

/// Sum of squares in double, in a fixed order.
[[nodiscard]] double sum_of_squares(std::span<const float> values);

/// Linear warm-up to `learning_rate`: step 0 already moves.
[[nodiscard]] double warmed_up(double learning_rate, std::int64_t step, std::int64_t warmup_steps);

}  // namespace evd::train
