#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <span>
#include <vector>

#include "nn/network.hpp"
#include "nn/text_encoder.hpp"

namespace evd::nn {

/// The texts one after another. A dropped caption has the null text's first features, as many as
/// it has tokens itself, as in the original. `null_text` is (max_tokens, width). States
/// get the type and the device of `place`.
[[nodiscard]] TextBatch text_batch(std::span<const TextStates> texts,
                                   std::span<const Caption> captions,
                                   std::span<const float> null_text, int width,
                                   const at::TensorOptions& place);

}  // namespace evd::nn
