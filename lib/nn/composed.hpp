#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include "nn/fused.hpp"

namespace evd::nn::composed {

/// The operators of fused.hpp from ATen's.
[[nodiscard]] at::Tensor norm_modulate(const at::Tensor& x, const at::Tensor& shift,
                                       const at::Tensor& scale);
[[nodiscard]] at::Tensor gelu(const at::Tensor& x);
[[nodiscard]] at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   const at::Tensor& bias, int heads, HeadNorm norm);

}  // namespace evd::nn::composed
