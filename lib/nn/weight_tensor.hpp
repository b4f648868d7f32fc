#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <ATen/core/Tensor.h>

#include "nn/weight_set.hpp"

namespace evd::nn {

/// A tensor over a set's mapped elements, without a copy: do not write to it, and keep the set.
[[nodiscard]] at::Tensor view_of(const WeightTensor& tensor);

/// A copy of it as `dtype`, of its own memory.
[[nodiscard]] at::Tensor copy_of(const WeightTensor& tensor, at::ScalarType dtype);

}  // namespace evd::nn
