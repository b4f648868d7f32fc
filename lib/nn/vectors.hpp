#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

/// Must be inlined into with_vectors' body: else it is compiled for the smallest processor.
#define EVD_INLINE inline __attribute__((always_inline))

namespace evd::nn {

enum class VectorWidth { baseline, avx2, avx512 };

/// What this processor has; no more than EVD_VECTORS (baseline, avx2, avx512) when that is set, for
/// tests and for clusters of unlike processors.
[[nodiscard]] VectorWidth vector_width();

#if defined(__x86_64__)
template <class Body>
__attribute__((target("avx512f,avx512dq,avx512vl,fma,prefer-vector-width=512"))) void with_avx512(
    const Body& body) {
  body();
}
template <class Body>
__attribute__((target("avx2,fma"))) void with_avx2(const Body& body) {
  body();
}
#endif

/// Runs `body`, a lambda marked EVD_INLINE_BODY, compiled once for each vector width. The programs
/// are built for any x86-64, so the compiler itself may not assume wide vectors.
template <class Body>
void with_vectors(const Body& body) {
#if defined(__x86_64__)
  const VectorWidth width = vector_width();
  if (width == VectorWidth::avx512) return with_avx512(body);
  if (width == VectorWidth::avx2) return with_avx2(body);
#endif
  body();
}
#define EVD_INLINE_BODY __attribute__((always_inline))

/// Lanes of independent partial sums: the compiler may not reorder a plain floating-point sum.
inline constexpr std::size_t kLanes = 16;

/// Sum over i < count of term(i).
template <class T, class Term>
EVD_INLINE T lane_sum(std::size_t count, const Term& term) {
  T lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
  }
  for (; i < count; ++i) lanes[0] += term(i);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

/// e^x to about 1e-7 relative, in a form that the compiler turns into vector instructions (the
/// library's function is a call). Arguments beyond +-87 give the value there.
EVD_INLINE float exponential(float x) {
  x = x < -87.0F ? -87.0F : (x > 87.0F ? 87.0F : x);
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float n = (x * 1.44269504F + kRound) - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;  // Cephes, expf
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  return p * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}
EVD_INLINE double exponential(double x) { return std::exp(x); }

}  // namespace evd::nn
