#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <ATen/core/Tensor.h>

namespace evd::nn {

/// silu(group_norm(x)) of a map x (N, C, H, W) in the layout of x. Channels last in fp32 goes
/// through a kernel of our own, which sums in double: ATen's for that layout takes the variance as
/// a difference of sums in fp32 and loses a digit. The result does not depend on the number of
/// threads.
[[nodiscard]] at::Tensor norm_silu(const at::Tensor& x, int groups, const at::Tensor& weight,
                                   const at::Tensor& bias, double epsilon);
/// The same without SiLU.
[[nodiscard]] at::Tensor group_norm(const at::Tensor& x, int groups, const at::Tensor& weight,
                                    const at::Tensor& bias, double epsilon);

}  // namespace evd::nn
