// Attention over short rows: one head at a time in scratch memory that stays in the first cache.
#include <algorithm>
#include <limits>
#include <vector>

#include "nn/kernels.hpp"
#include "nn/vectors.hpp"

namespace evd::nn {
namespace {

constexpr double kEpsilon = 1e-6;

std::size_t padded(std::size_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

/// kLanes numbers in registers, at any address.
template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef float Type __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));
};
template <>
struct LanesOf<double> {
  typedef double Type __attribute__((vector_size(kLanes * sizeof(double)), aligned(8), may_alias));
};

/// A matrix in memory; element (i, j) lies at i * row + j * column.
template <class T>
struct View {
  const T* data;
  std::size_t row;
  std::size_t column;
};

/// `Rows` rows and `Tiles` times kLanes columns of a product, held in registers.
template <class T, std::size_t Rows, std::size_t Tiles>
EVD_INLINE void tile(const View<T>& a, const T* b, std::size_t b_row, T* c, std::size_t c_row,
                     std::size_t inner) {
  using Lanes = typename LanesOf<T>::Type;
  Lanes sums[Rows][Tiles] = {};
  for (std::size_t k = 0; k < inner; ++k) {
    const auto* from = reinterpret_cast<const Lanes*>(b + k * b_row);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      const T factor = a.data[r * a.row + k * a.column];
#pragma GCC unroll 8
      for (std::size_t t = 0; t < Tiles; ++t) sums[r][t] += factor * from[t];
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) {
    auto* to = reinterpret_cast<Lanes*>(c + r * c_row);
#pragma GCC unroll 8
    for (std::size_t t = 0; t < Tiles; ++t) to[t] = sums[r][t];
  }
}

/// All rows of Tiles * kLanes columns of a product.
template <class T, std::size_t Tiles>
EVD_INLINE void column_block(const View<T>& a, const T* b, std::size_t b_row, T* c,
                             std::size_t c_row, std::size_t rows, std::size_t inner) {
  constexpr std::size_t kRows = 4;
  std::size_t i = 0;
  for (; i + kRows <= rows; i += kRows) {
    tile<T, kRows, Tiles>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row,
                          inner);
  }
  for (; i < rows; ++i) {
    tile<T, 1, Tiles>({a.data + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, inner);
  }
}

/// C (rows, width) = A (rows, inner) B (inner, width). Rows of B and C are contiguous; `width` is
/// a multiple of kLanes.
template <class T>
EVD_INLINE void product(const View<T>& a, const T* b, std::size_t b_row, T* c, std::size_t c_row,
                        std::size_t rows, std::size_t inner, std::size_t width) {
  std::size_t j = 0;
  for (; j + 2 * kLanes <= width; j += 2 * kLanes) {
    column_block<T, 2>(a, b + j, b_row, c + j, c_row, rows, inner);
  }
  if (j < width) column_block<T, 1>(a, b + j, b_row, c + j, c_row, rows, inner);
}

/// Rows of a head, copied to `out` (rows, width) with zeros up to `width`, normalised if wanted;
/// `inverse` receives 1 / deviation of each row.
template <class T>
EVD_INLINE void load(const T* in, std::size_t stride, std::size_t rows, std::size_t size,
                     std::size_t width, bool normalise, T* out, T* inverse) {
  for (std::size_t i = 0; i < rows; ++i) {
    const T* __restrict from = in + i * stride;
    T* __restrict to = out + i * width;
    T mean = 0;
    T factor = 1;
    if (normalise) {
      const T count = static_cast<T>(size);
      mean = lane_sum<T>(size, [&](std::size_t c) EVD_INLINE_BODY { return from[c]; }) / count;
      const T variance =
          lane_sum<T>(size, [&](std::size_t c)
                                EVD_INLINE_BODY { return (from[c] - mean) * (from[c] - mean); }) /
          count;
      factor = T(1) / std::sqrt(variance + T(kEpsilon));
    }
    for (std::size_t c = 0; c < size; ++c) to[c] = (from[c] - mean) * factor;
    for (std::size_t c = size; c < width; ++c) to[c] = T(0);
    inverse[i] = factor;
  }
}

/// Gradients of the rows that load() read, from those of what it wrote.
template <class T>
EVD_INLINE void store_gradient(const T* gradient, const T* loaded, const T* inverse,
                               std::size_t rows, std::size_t size, std::size_t width,
                               bool normalise, T* out, std::size_t stride) {
  for (std::size_t i = 0; i < rows; ++i) {
    const T* __restrict g = gradient + i * width;
    const T* __restrict hat = loaded + i * width;
    T* __restrict to = out + i * stride;
    T mean = 0;
    T along = 0;
    if (normalise) {
      const T count = static_cast<T>(size);
      mean = lane_sum<T>(size, [&](std::size_t c) EVD_INLINE_BODY { return g[c]; }) / count;
      along =
          lane_sum<T>(size, [&](std::size_t c) EVD_INLINE_BODY { return g[c] * hat[c]; }) / count;
    }
    for (std::size_t c = 0; c < size; ++c) to[c] = inverse[i] * (g[c] - mean - hat[c] * along);
  }
}

template <class T>
EVD_INLINE void transpose(const T* in, std::size_t rows, std::size_t columns, std::size_t in_row,
                          T* out, std::size_t out_row) {
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < rows; ++i) out[c * out_row + i] = in[i * in_row + c];
    for (std::size_t i = rows; i < out_row; ++i) out[c * out_row + i] = T(0);
  }
}

template <class T>
EVD_INLINE void softmax_row(T* row, T scale, std::size_t keys, std::size_t width) {
  const T none = -std::numeric_limits<T>::infinity();
  T highest = none;
  for (std::size_t j = 0; j < keys; ++j) {
    row[j] = row[j] * scale;
    highest = row[j] > highest ? row[j] : highest;
  }
  for (std::size_t j = keys; j < width; ++j) row[j] = none;
  for (std::size_t j = 0; j < width; ++j) {
    // Exactly nothing for a key that is left out.
    row[j] = row[j] == none ? T(0) : exponential(row[j] - highest);
  }
  const T sum = lane_sum<T>(width, [&](std::size_t j) EVD_INLINE_BODY { return row[j]; });
  const T factor = T(1) / sum;
  for (std::size_t j = 0; j < width; ++j) row[j] *= factor;
}

/// Memory that a thread keeps for its heads.
template <class T>
T* scratch(std::size_t count) {
  thread_local std::vector<T> memory;
  if (memory.size() < count + kLanes) memory.resize(count + kLanes);
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + (64 - address % 64) % 64 / sizeof(T);
}

}  // namespace

std::size_t kept_weights(const HeadShape& shape) { return shape.queries * padded(shape.keys); }

template <class T>
void attention_forward(const HeadShape& s, const T* q, const T* k, const T* v, T* out, T* weights) {
  const std::size_t width = padded(s.size);
  const std::size_t keys = padded(s.keys);
  T* query = scratch<T>((s.queries + 2 * s.keys + s.queries) * width + width * keys + s.queries +
                        s.keys + 8 * kLanes);
  T* key = query + s.queries * width;
  T* value = key + s.keys * width;
  T* mixed = value + s.keys * width;
  T* turned = mixed + s.queries * width;
  T* inverse = turned + width * keys;
  with_vectors([&]() EVD_INLINE_BODY {
    load(q, s.q_stride, s.queries, s.size, width, s.normalise, query, inverse);
    load(k, s.kv_stride, s.keys, s.size, width, s.normalise, key, inverse);
    load(v, s.kv_stride, s.keys, s.size, width, false, value, inverse);
    transpose(key, s.keys, s.size, width, turned, keys);
    product<T>({query, width, 1}, turned, keys, weights, keys, s.queries, s.size, keys);
    const T scale = T(1) / std::sqrt(static_cast<T>(s.size));
    for (std::size_t i = 0; i < s.queries; ++i) {
      softmax_row(weights + i * keys, scale, s.keys, keys);
    }
    product<T>({weights, keys, 1}, value, width, mixed, width, s.queries, s.keys, width);
    for (std::size_t i = 0; i < s.queries; ++i) {
      for (std::size_t c = 0; c < s.size; ++c) out[i * s.out_stride + c] = mixed[i * width + c];
    }
  });
}

template <class T>
void attention_backward(const HeadShape& s, const T* q, const T* k, const T* v, const T* weights,
                        const T* g_out, T* gq, T* gk, T* gv) {
  const std::size_t width = padded(s.size);
  const std::size_t keys = padded(s.keys);
  const std::size_t longest = std::max(s.queries, s.keys);
  T* query = scratch<T>((2 * s.queries + 2 * s.keys + longest) * width + width * keys +
                        s.queries * keys + 2 * longest + 8 * kLanes);
  T* key = query + s.queries * width;
  T* value = key + s.keys * width;
  T* mixed = value + s.keys * width;        // gradient of the output
  T* gradient = mixed + s.queries * width;  // of queries, keys or values in turn
  T* turned = gradient + longest * width;
  T* logits = turned + width * keys;  // gradient of the logits
  T* q_inverse = logits + s.queries * keys;
  T* k_inverse = q_inverse + longest;
  with_vectors([&]() EVD_INLINE_BODY {
    load(v, s.kv_stride, s.keys, s.size, width, false, value, k_inverse);
    load(g_out, s.out_stride, s.queries, s.size, width, false, mixed, q_inverse);
    load(q, s.q_stride, s.queries, s.size, width, s.normalise, query, q_inverse);
    // dP = dO V^T, dS = P (dP - sum dP P)
    transpose(value, s.keys, s.size, width, turned, keys);
    product<T>({mixed, width, 1}, turned, keys, logits, keys, s.queries, s.size, keys);
    const T scale = T(1) / std::sqrt(static_cast<T>(s.size));
    for (std::size_t i = 0; i < s.queries; ++i) {
      T* __restrict row = logits + i * keys;
      const T* __restrict p = weights + i * keys;
      const T sum = lane_sum<T>(keys, [&](std::size_t j) EVD_INLINE_BODY { return row[j] * p[j]; });
      for (std::size_t j = 0; j < keys; ++j) row[j] = scale * p[j] * (row[j] - sum);
    }
    // dV = P^T dO
    product<T>({weights, 1, keys}, mixed, width, gradient, width, s.keys, s.queries, width);
    for (std::size_t j = 0; j < s.keys; ++j) {
      for (std::size_t c = 0; c < s.size; ++c) gv[j * s.kv_stride + c] = gradient[j * width + c];
    }
    // dK = dS^T Q, dQ = dS K
    load(k, s.kv_stride, s.keys, s.size, width, s.normalise, key, k_inverse);
    product<T>({logits, 1, keys}, query, width, gradient, width, s.keys, s.queries, width);
    store_gradient(gradient, key, k_inverse, s.keys, s.size, width, s.normalise, gk, s.kv_stride);
    product<T>({logits, keys, 1}, key, width, gradient, width, s.queries, s.keys, width);
    store_gradient(gradient, query, q_inverse, s.queries, s.size, width, s.normalise, gq,
                   s.q_stride);
  });
}

template void attention_forward(const HeadShape&, const float*, const float*, const float*, float*,
                                float*);
template void attention_forward(const HeadShape&, const double*, const double*, const double*,
                                double*, double*);
template void attention_backward(const HeadShape&, const float*, const float*, const float*,
                                 const float*, const float*, float*, float*, float*);
template void attention_backward(const HeadShape&, const double*, const double*, const double*,
                                 const double*, const double*, double*, double*, double*);

}  // namespace evd::nn
