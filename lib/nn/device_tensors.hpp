#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <ATen/core/Tensor.h>

#include "nn/device.hpp"

namespace evd::nn {

[[nodiscard]] at::Device device_of(const Engine& engine);
/// Device and type of the weights that an engine computes with.
[[nodiscard]] at::TensorOptions options_of(const Engine& engine);

}  // namespace evd::nn
