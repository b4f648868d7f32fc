#include "train/adamw.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.hpp"

// One function, compiled for each vector width and picked at load time. lib/CMakeLists.txt compiles
// this file without contraction to fused multiply-add, so that the same bits come out of all of
// them, and without errno for square roots, which would keep the loop from becoming vectors.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define EVD_VECTOR_WIDTHS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EVD_VECTOR_WIDTHS
#endif

namespace evd::train {
namespace {

constexpr std::size_t kBlock = 4096;  // elements

// Always inlined, so that it is compiled for the vector width of its caller.
template <class T>
[[gnu::always_inline]] inline void each_element(const Factors<T>& f, T* __restrict weights,
                                                T* __restrict first, T* __restrict second,
                                                T* __restrict average, const T* __restrict gradient,
                                                std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    update_element(f, weights[i], first[i], second[i], average[i], gradient[i]);
  }
}

EVD_VECTOR_WIDTHS void pass(const Factors<float> f, float* __restrict weights,
                            float* __restrict first, float* __restrict second,
                            float* __restrict average, const float* __restrict gradient,
                            std::size_t count) {
  each_element(f, weights, first, second, average, gradient, count);
}

void pass(const Factors<double> f, double* __restrict weights, double* __restrict first,
          double* __restrict second, double* __restrict average, const double* __restrict gradient,
          std::size_t count) {
  each_element(f, weights, first, second, average, gradient, count);
}

template <class T>
[[gnu::always_inline]] inline void each_average(T keep, T add, T* __restrict average,
                                                const T* __restrict weights, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) average_element(keep, add, average[i], weights[i]);
}

EVD_VECTOR_WIDTHS void average_pass(float keep, float add, float* __restrict average,
                                    const float* __restrict weights, std::size_t count) {
  each_average(keep, add, average, weights, count);
}

void average_pass(double keep, double add, double* __restrict average,
                  const double* __restrict weights, std::size_t count) {
  each_average(keep, add, average, weights, count);
}

template <class T>
Factors<T> factors_as(const AdamW& adamw, std::int64_t update, double gradient_scale) {
  const auto n = static_cast<double>(update);
  return {static_cast<T>(1.0 - adamw.learning_rate * adamw.weight_decay),
          static_cast<T>(adamw.beta1),
          static_cast<T>(adamw.beta2),
          static_cast<T>(1.0 - adamw.beta1),
          static_cast<T>(1.0 - adamw.beta2),
          static_cast<T>(adamw.epsilon),
          static_cast<T>(adamw.learning_rate / (1.0 - std::pow(adamw.beta1, n))),
          static_cast<T>(1.0 / std::sqrt(1.0 - std::pow(adamw.beta2, n))),
          static_cast<T>(adamw.ema),
          static_cast<T>(1.0 - adamw.ema),
          static_cast<T>(gradient_scale)};
}

template <class T>
void update_all(const AdamW& adamw, std::int64_t update, const ParametersOf<T>& parameters,
                std::span<const T> gradient, double gradient_scale) {
  const Factors<T> factors = factors_as<T>(adamw, update, gradient_scale);
  const std::size_t count = parameters.weights.size();
  if (parameters.first_moment.size() != count || parameters.second_moment.size() != count ||
      parameters.average.size() != count || gradient.size() != count ||
      parameters.more_averages.size() != adamw.more_emas.size()) {
    throw InternalError("AdamW: the flat buffers differ in length");
  }
  // Further averages follow while a block's weights are in the cache.
  const std::size_t step = adamw.more_emas.empty() ? count : kBlock;
  for (std::size_t at = 0; at < count; at += step) {
    const std::size_t size = std::min(step, count - at);
    pass(factors, parameters.weights.data() + at, parameters.first_moment.data() + at,
         parameters.second_moment.data() + at, parameters.average.data() + at, gradient.data() + at,
         size);
    for (std::size_t i = 0; i < adamw.more_emas.size(); ++i) {
      average_pass(static_cast<T>(adamw.more_emas[i]), static_cast<T>(1.0 - adamw.more_emas[i]),
                   parameters.more_averages[i].data() + at, parameters.weights.data() + at, size);
    }
  }
}

}  // namespace

Factors<float> factors_of(const AdamW& adamw, std::int64_t update, double gradient_scale) {
  return factors_as<float>(adamw, update, gradient_scale);
}

void update(const AdamW& adamw, std::int64_t update, const Parameters& parameters,
            std::span<const float> gradient, double gradient_scale) {
  update_all(adamw, update, parameters, gradient, gradient_scale);
}

void update(const AdamW& adamw, std::int64_t update, const ParametersOf<double>& parameters,
            std::span<const double> gradient, double gradient_scale) {
  update_all(adamw, update, parameters, gradient, gradient_scale);
}

double sum_of_squares(std::span<const float> values) {
  // Independent partial sums, so that the adds can be done side by side; always in this order.
  std::array<double, 16> partial{};
  std::size_t i = 0;
  for (; i + partial.size() <= values.size(); i += partial.size()) {
    for (std::size_t lane = 0; lane < partial.size(); ++lane) {
      const double value = values[i + lane];
      partial[lane] += value * value;
    }
  }
  for (; i < values.size(); ++i) partial[0] += double{values[i]} * double{values[i]};
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

double warmed_up(double learning_rate, std::int64_t updates, std::int64_t warmup_steps) {
  if (updates >= warmup_steps) return learning_rate;
  return learning_rate * static_cast<double>(updates + 1) / static_cast<double>(warmup_steps);
}

}  // namespace evd::train
