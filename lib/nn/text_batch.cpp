#include "nn/text_batch.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/ops/empty.h>

#include "core/error.hpp"

namespace evd::nn {

TextBatch text_batch(std::span<const TextStates> texts, std::span<const Caption> captions,
                     std::span<const float> null_text, int width, const at::TensorOptions& place) {
  TextBatch batch;
  for (const auto& text : texts) batch.lengths.push_back(text.tokens);
  const auto total = std::accumulate(batch.lengths.begin(), batch.lengths.end(), std::int64_t{0});
  at::Tensor states = at::empty({total, width}, at::kFloat);
  float* target = states.mutable_data_ptr<float>();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto values = static_cast<std::size_t>(texts[i].tokens) * static_cast<std::size_t>(width);
    const bool dropped = captions[i] == Caption::dropped;
    const std::size_t there = dropped ? null_text.size() : texts[i].values.size();
    if (texts[i].tokens < 1 || values > there) {
      throw InternalError("a text of " + std::to_string(texts[i].tokens) +
                          " tokens does not fit its network");
    }
    target = std::copy_n(dropped ? null_text.data() : texts[i].values.data(), values, target);
  }
  batch.states = states.to(place);
  return batch;
}

}  // namespace evd::nn
