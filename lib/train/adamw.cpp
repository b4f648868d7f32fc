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

template <class T>
struct Factors {
  T keep;  // 1 - lr * decay
  T beta1;
  T beta2;
  // Rounded by themselves: 1 - 0.999 of two floats is off by a hundred-thousandth.
  T one_minus_beta1;
  T one_minus_beta2;
  T epsilon;
  T step;    // lr / (1 - beta1^n)
  T unbias;  // 1 / sqrt(1 - beta2^n)
  T ema;
  T one_minus_ema;
  T scale;
};

// Always inlined, so that it is compiled for the vector width of its caller.
template <class T>
[[gnu::always_inline]] inline void each_element(const Factors<T>& f, T* __restrict weights,
                                                T* __restrict first, T* __restrict second,
                                                T* __restrict average, const T* __restrict gradient,
                                                std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const T g = gradient[i] * f.scale;
    const T m = f.beta1 * first[i] + f.one_minus_beta1 * g;
    const T v = f.beta2 * second[i] + f.one_minus_beta2 * g * g;
    const T w = weights[i] * f.keep - f.step * m / (std::sqrt(v) * f.unbias + f.epsilon);
    first[i] = m;
    second[i] = v;
    weights[i] = w;
    average[i] = f.ema * average[i] + f.one_minus_ema * w;
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
void update_all(const AdamW& adamw, std::int64_t update, const ParametersOf<T>& parameters,
                std::span<const T> gradient, double gradient_scale) {
  const auto n = static_cast<double>(update);
  const Factors<T> factors{static_cast<T>(1.0 - adamw.learning_rate * adamw.weight_decay),
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
  const std::size_t count = parameters.weights.size();
  if (parameters.first_moment.size() != count || parameters.second_moment.size() != count ||
      parameters.average.size() != count || gradient.size() != count) {
    throw InternalError("AdamW: the flat buffers differ in length");
  }
  pass(factors, parameters.weights.data(), parameters.first_moment.data(),
       parameters.second_moment.data(), parameters.average.data(), gradient.data(), count);
}

}  // namespace

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
