#pragma once

#include <ATen/core/Tensor.h>

#include "nn/network.hpp"
#include "nn/reference_run.hpp"

namespace evd::nn::test {

/// The tensors of a run whose names begin with `start`, without it, under the authors' names.
[[nodiscard]] WeightSet pixart_of(const ReferenceRun& run, const std::string& start);

/// The flat buffer of a layout, filled from such a set.
[[nodiscard]] at::Tensor flat_of(const WeightSet& set, const Layout& layout, at::ScalarType dtype);

/// Texts (B, L, width) under a mask (B, L), its ones first, without their padding.
[[nodiscard]] TextBatch packed(const at::Tensor& states, const at::Tensor& mask);

}  // namespace evd::nn::test
