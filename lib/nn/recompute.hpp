#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <functional>

#include <ATen/core/Tensor.h>

namespace evd::nn {

/// A part of a network, from what it reads to what it gives. It may use parameters beside.
using Stretch =
    std::function<at::Tensor(const at::Tensor& x, const at::Tensor& t0, const at::Tensor& kv)>;

/// The same as stretch(x, t0, kv), and the same gradients to the last bit, but nothing of it is
/// kept for backward except the three inputs: backward runs it once more (Chen et al., "Training
/// deep nets with sublinear memory cost", 2016). Hooks of its parameters run once, as otherwise.
[[nodiscard]] at::Tensor recomputed(Stretch stretch, const at::Tensor& x, const at::Tensor& t0,
                                    const at::Tensor& kv);

}  // namespace evd::nn
