#include "nn/text_batch.hpp"

#include <algorithm>
#include <limits>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/error.hpp"

namespace evd::nn {

TextBatch text_batch(std::span<const TextStates> texts, std::span<const Caption> captions,
                     std::span<const float> null_text, int width, int length,
                     at::ScalarType dtype) {
  const auto count = static_cast<std::int64_t>(texts.size());
  at::Tensor states = at::zeros({count, length, width}, at::kFloat);
  at::Tensor bias = at::zeros({count, 1, 1, length}, at::kFloat);
  bool padded = false;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const int tokens = texts[i].tokens;
    if (tokens < 1 || tokens > length) throw InternalError("a text does not fit its batch");
    const auto values = static_cast<std::size_t>(tokens) * static_cast<std::size_t>(width);
    const float* source =
        captions[i] == Caption::dropped ? null_text.data() : texts[i].values.data();
    auto* target = states.mutable_data_ptr<float>() + i * static_cast<std::size_t>(length * width);
    std::copy_n(source, values, target);
    auto* mask = bias.mutable_data_ptr<float>() + i * static_cast<std::size_t>(length);
    std::fill(mask + tokens, mask + length, -std::numeric_limits<float>::infinity());
    padded |= tokens < length;
  }
  return {states.to(dtype), padded ? bias.to(dtype) : at::Tensor()};
}

}  // namespace evd::nn
