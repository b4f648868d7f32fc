#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <ATen/core/Tensor.h>

namespace evd::nn {

/// Fused: one pass over memory on the CPU, forward and backward. Composed: the same from ATen's
/// operators, for every other device and as the reference that the fused ones are tested against.
enum class Kernels { fused, composed };

/// LayerNorm(x) * (1 + scale) + shift, no affine, eps 1e-6. x (B, N, C); shift, scale (B, C).
[[nodiscard]] at::Tensor norm_modulate(const at::Tensor& x, const at::Tensor& shift,
                                       const at::Tensor& scale, Kernels kernels);

/// x + gate * y. x, y (B, N, C); gate (B, C).
[[nodiscard]] at::Tensor gated_add(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y,
                                   Kernels kernels);

/// How attention treats its queries and keys.
enum class HeadNorm { none, layer_norm };

/// Multi-head attention. q (B, N, heads d) and k, v (B, L, heads d) may be slices of a wider
/// tensor; bias (B, 1, 1, L) or undefined. With layer_norm, each head's query and key are
/// normalised over d without parameters (eps 1e-6) before the usual 1/sqrt(d). Gives (B, N, heads
/// d).
[[nodiscard]] at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const at::Tensor& bias, int heads, HeadNorm norm,
                                   Kernels kernels);

}  // namespace evd::nn
