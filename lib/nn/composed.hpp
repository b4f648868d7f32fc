#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include "nn/fused.hpp"

namespace evd::nn::composed {

/// The operators of fused.hpp from ATen's.
[[nodiscard]] at::Tensor norm_modulate(const at::Tensor& x, const at::Tensor& shift,
                                       const at::Tensor& scale);
[[nodiscard]] at::Tensor gelu(const at::Tensor& x);
/// q (B, N, C), k and v (B, L, C); bias (B, 1, 1, L) or undefined, -inf leaves a key out.
[[nodiscard]] at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const at::Tensor& bias, int heads, HeadNorm norm);
/// The largest |logit| of such an attention over all samples and heads: scaled by 1 / sqrt(d),
/// before the softmax. A sample at a time, so that the logits of no two are held.
[[nodiscard]] double largest_logit(const at::Tensor& q, const at::Tensor& k, int heads,
                                   HeadNorm norm);
/// One text at a time: nothing is computed for padding.
[[nodiscard]] at::Tensor cross_attention(const at::Tensor& q, const at::Tensor& kv,
                                         std::span<const std::int64_t> lengths, int heads,
                                         HeadNorm norm);
/// All texts at once, padded to the longest.
[[nodiscard]] at::Tensor padded_cross_attention(const at::Tensor& q, const at::Tensor& kv,
                                                const Padding& padding, int heads, HeadNorm norm);

}  // namespace evd::nn::composed
