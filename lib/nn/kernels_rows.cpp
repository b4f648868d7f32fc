// Layer norm with modulation, and GELU.
#include "nn/kernels.hpp"
#include "nn/vectors.hpp"

namespace evd::nn {
namespace {

constexpr double kEpsilon = 1e-6;

template <class T>
struct Moments {
  T mean;
  T inverse;  // 1 / deviation
};

template <class T>
EVD_INLINE Moments<T> moments_of(const T* row, std::size_t c) {
  const T width = static_cast<T>(c);
  const T mean = lane_sum<T>(c, [&](std::size_t i) EVD_INLINE_BODY { return row[i]; }) / width;
  const T variance = lane_sum<T>(c,
                                 [&](std::size_t i) EVD_INLINE_BODY {
                                   const T d = row[i] - mean;
                                   return d * d;
                                 }) /
                     width;
  return {mean, T(1) / std::sqrt(variance + T(kEpsilon))};
}

// gelu(x) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)
template <class T>
struct Gelu {
  static constexpr T kTwoScale = T(2 * 0.79788456080286535588);
  static constexpr T kCubic = T(0.044715);
  static EVD_INLINE T sigmoid(T x) {
    return T(1) / (T(1) + exponential(-kTwoScale * (x + kCubic * x * x * x)));
  }
};

}  // namespace

template <class T>
void norm_modulate_forward(const T* x, const T* shift, const T* scale, T* y, std::size_t n,
                           std::size_t c) {
  with_vectors([&]() EVD_INLINE_BODY {
    for (std::size_t row = 0; row < n; ++row) {
      const T* __restrict in = x + row * c;
      T* __restrict out = y + row * c;
      const auto m = moments_of(in, c);
      for (std::size_t i = 0; i < c; ++i) {
        out[i] = (in[i] - m.mean) * m.inverse * (T(1) + scale[i]) + shift[i];
      }
    }
  });
}

template <class T>
void norm_modulate_backward(const T* x, const T* scale, const T* gy, T* gx, T* d_shift, T* d_scale,
                            std::size_t n, std::size_t c) {
  with_vectors([&]() EVD_INLINE_BODY {
    T* __restrict to_shift = d_shift;
    T* __restrict to_scale = d_scale;
    for (std::size_t i = 0; i < c; ++i) to_shift[i] = to_scale[i] = T(0);
    for (std::size_t row = 0; row < n; ++row) {
      const T* __restrict in = x + row * c;
      const T* __restrict g = gy + row * c;
      T* __restrict out = gx + row * c;
      const auto m = moments_of(in, c);
      for (std::size_t i = 0; i < c; ++i) {
        const T hat = (in[i] - m.mean) * m.inverse;
        to_shift[i] += g[i];
        to_scale[i] += g[i] * hat;
        out[i] = g[i] * (T(1) + scale[i]);  // gradient of the normalised row
      }
      const T width = static_cast<T>(c);
      const T mean = lane_sum<T>(c, [&](std::size_t i) EVD_INLINE_BODY { return out[i]; }) / width;
      const T along =
          lane_sum<T>(c, [&](std::size_t i) EVD_INLINE_BODY { return out[i] * (in[i] - m.mean); }) *
          m.inverse / width;
      for (std::size_t i = 0; i < c; ++i) {
        out[i] = m.inverse * (out[i] - mean - (in[i] - m.mean) * m.inverse * along);
      }
    }
  });
}

template <class T>
void gelu_forward(const T* x, T* y, std::size_t count) {
  with_vectors([&]() EVD_INLINE_BODY {
    const T* __restrict in = x;
    T* __restrict out = y;
    for (std::size_t i = 0; i < count; ++i) out[i] = in[i] * Gelu<T>::sigmoid(in[i]);
  });
}

template <class T>
void gelu_backward(const T* x, const T* gy, T* gx, std::size_t count) {
  with_vectors([&]() EVD_INLINE_BODY {
    const T* __restrict in = x;
    const T* __restrict g = gy;
    T* __restrict out = gx;
    for (std::size_t i = 0; i < count; ++i) {
      const T s = Gelu<T>::sigmoid(in[i]);
      const T slope = Gelu<T>::kTwoScale * (T(1) + T(3) * Gelu<T>::kCubic * in[i] * in[i]);
      out[i] = g[i] * (s + in[i] * s * (T(1) - s) * slope);
    }
  });
}

template void norm_modulate_forward(const float*, const float*, const float*, float*, std::size_t,
                                    std::size_t);
template void norm_modulate_forward(const double*, const double*, const double*, double*,
                                    std::size_t, std::size_t);
template void norm_modulate_backward(const float*, const float*, const float*, float*, float*,
                                     float*, std::size_t, std::size_t);
template void norm_modulate_backward(const double*, const double*, const double*, double*, double*,
                                     double*, std::size_t, std::size_t);
template void gelu_forward(const float*, float*, std::size_t);
template void gelu_forward(const double*, double*, std::size_t);
template void gelu_backward(const float*, const float*, float*, std::size_t);
template void gelu_backward(const double*, const double*, double*, std::size_t);

}  // namespace evd::nn
