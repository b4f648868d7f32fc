#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <span>

#include <ATen/core/Tensor.h>

#include "nn/options.hpp"

namespace evd::nn {

/// Fused: one pass over memory on the CPU, forward and backward, where tensors are small enough for
/// it to pay. Composed: the same from ATen's operators, for every other device and size, and as the
/// reference that the fused ones are tested against.
enum class Kernels : std::uint8_t { fused, composed };

/// LayerNorm(x) * (1 + scale) + shift, no affine, eps 1e-6. x (B, N, C); shift, scale (B, C).
[[nodiscard]] at::Tensor norm_modulate(const at::Tensor& x, const at::Tensor& shift,
                                       const at::Tensor& scale, Kernels kernels);

/// GELU, tanh approximation.
[[nodiscard]] at::Tensor gelu(const at::Tensor& x, Kernels kernels);

/// Whether attention normalises each head's queries and keys first, over the head's channels,
/// without parameters, eps 1e-6; the usual 1 / sqrt(d) stays.
enum class HeadNorm : std::uint8_t { none, layer_norm };

/// Multi-head self-attention. qkv (B, N, 3 C): queries, keys, values. Gives (B, N, C).
[[nodiscard]] at::Tensor self_attention(const at::Tensor& qkv, int heads, HeadNorm norm,
                                        Kernels kernels);
/// Where padding to the longest puts the tokens of texts that lie one after another: for devices
/// that want few large operations. Made once for all blocks; undefined on the CPU.
struct Padding {
  at::Tensor tokens;  ///< (B * longest): which token stands in each place
  at::Tensor bias;    ///< (B, 1, 1, longest): -inf where none does
};
/// On the device and in the type of `place`. The only wait for the device.
[[nodiscard]] Padding padding_of(std::span<const std::int64_t> lengths,
                                 const at::TensorOptions& place);

/// Cross-attention of each picture to its own text. q (B, N, C); kv (T, 2 C): keys, then values of
/// all texts, one after another; lengths: tokens of each of the B texts, T in all.
[[nodiscard]] at::Tensor cross_attention(const at::Tensor& q, const at::Tensor& kv,
                                         std::span<const std::int64_t> lengths, int heads,
                                         HeadNorm norm, Kernels kernels,
                                         const Padding& padding = {});

}  // namespace evd::nn
