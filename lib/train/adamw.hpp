#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/adamw_element.hpp"

namespace evd::train {

/// AdamW with decoupled weight decay and bias correction (Loshchilov and Hutter, 2019; the same
/// update as torch.optim.AdamW), on every parameter: biases and tables too, as in PixArt.
struct AdamW {
  double learning_rate = 0;
  double weight_decay = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double ema = 0;                   ///< decay of the averaged weights
  std::vector<double> more_emas{};  ///< of further averages
};

/// The flat buffers of one set of parameters, all of one length.
template <class T>
struct ParametersOf {
  std::span<T> weights;
  std::span<T> first_moment;
  std::span<T> second_moment;
  std::span<T> average;                       ///< exponential moving average of the weights
  std::vector<std::span<T>> more_averages{};  ///< as many as AdamW::more_emas
};
using Parameters = ParametersOf<float>;

/// What update() reckons with.
[[nodiscard]] Factors<float> factors_of(const AdamW& adamw, std::int64_t update,
                                        double gradient_scale);

/// One update in a single pass over memory: gradient times `gradient_scale`, moments, decay, step,
/// average. `update` counts applied updates from 1. The result has the same bits on every
/// instruction set.
void update(const AdamW& adamw, std::int64_t update, const Parameters& parameters,
            std::span<const float> gradient, double gradient_scale);
/// The same arithmetic in double, to compare it with other trainers without rounding between.
void update(const AdamW& adamw, std::int64_t update, const ParametersOf<double>& parameters,
            std::span<const double> gradient, double gradient_scale);

/// Sum of squares in double, in a fixed order.
[[nodiscard]] double sum_of_squares(std::span<const float> values);

/// Linear warm-up to `learning_rate`, after so many applied updates: the first already moves.
[[nodiscard]] double warmed_up(double learning_rate, std::int64_t updates,
                               std::int64_t warmup_steps);

}  // namespace evd::train
