#pragma once

// Read by the processor's compiler and by the card's: what one element becomes is written once.
#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define EVD_BOTH __host__ __device__ inline
#else
// Always inlined, so that it is compiled for the vector width of its caller.
#define EVD_BOTH [[gnu::always_inline]] inline
#endif

namespace evd::train {

/// What an update needs of its settings, rounded once each.
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

/// An average of a weight after its update.
template <class T>
EVD_BOTH void average_element(T keep, T add, T& average, T weight) {
  average = keep * average + add * weight;
}

/// One element's weight, moments and average after the update.
template <class T>
EVD_BOTH void update_element(const Factors<T>& f, T& weight, T& first, T& second, T& average,
                             T gradient) {
  const T g = gradient * f.scale;
  const T m = f.beta1 * first + f.one_minus_beta1 * g;
  const T v = f.beta2 * second + f.one_minus_beta2 * g * g;
  const T w = weight * f.keep - f.step * m / (std::sqrt(v) * f.unbias + f.epsilon);
  first = m;
  second = v;
  weight = w;
  average_element(f.ema, f.one_minus_ema, average, w);
}

/// The nearest bfloat16, of two the even one; what is no number stays none.
EVD_BOTH std::uint16_t to_bfloat16(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

}  // namespace evd::train
