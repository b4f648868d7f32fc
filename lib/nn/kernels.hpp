#pragma once

#include <cstddef>

namespace evd::nn {

/// Loops over plain memory behind the fused operators (fused.hpp), for float and double. A caller
/// that has several threads splits the batch.

/// y = LayerNorm(x) * (1 + scale) + shift of one sample. x, y (n, c); shift, scale (c).
template <class T>
void norm_modulate_forward(const T* x, const T* shift, const T* scale, T* y, std::size_t n,
                           std::size_t c);
/// Gradients from `gy` (n, c); d_shift and d_scale (c) are written, not added to.
template <class T>
void norm_modulate_backward(const T* x, const T* scale, const T* gy, T* gx, T* d_shift, T* d_scale,
                            std::size_t n, std::size_t c);

/// y = gelu(x), tanh approximation.
template <class T>
void gelu_forward(const T* x, T* y, std::size_t count);
template <class T>
void gelu_backward(const T* x, const T* gy, T* gx, std::size_t count);

/// Shape of the attention of one head of one sample: rows of q and of k and v are `*_stride` apart.
struct HeadShape {
  std::size_t queries = 0;
  std::size_t keys = 0;
  std::size_t size = 0;  ///< channels of a head
  std::size_t q_stride = 0;
  std::size_t kv_stride = 0;
  std::size_t out_stride = 0;
  bool normalise = false;
};

/// Elements of the weights that one head keeps for its backward.
[[nodiscard]] std::size_t kept_weights(const HeadShape& shape);

/// One head: out = softmax(norm(q) norm(k)^T / sqrt(size)) v; `weights` receives
/// the softmax.
template <class T>
void attention_forward(const HeadShape& shape, const T* q, const T* k, const T* v, T* out,
                       T* weights);
/// Gradients of one head, in the strides of their values.
template <class T>
void attention_backward(const HeadShape& shape, const T* q, const T* k, const T* v,
                        const T* weights, const T* g_out, T* gq, T* gk, T* gv);

}  // namespace evd::nn
