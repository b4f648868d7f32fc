#include "nn/t5_texts.hpp"

#include <algorithm>
#include <optional>

#include <ATen/ops/isfinite.h>
#include <c10/core/InferenceMode.h>

#include "core/error.hpp"
#include "core/half.hpp"
#include "nn/device_tensors.hpp"
#include "nn/prompt_form.hpp"
#include "nn/t5.hpp"
#include "nn/tokenizer.hpp"

namespace evd::nn {

struct T5Texts::State {
  State(const std::filesystem::path& folder, const std::filesystem::path& tokenizer_file,
        int the_max_tokens, TextCompute compute, const PromptForm& the_form, const Engine& engine)
      : weights(WeightSet::open(folder)),
        options(read_t5_options(folder)),
        tokenizer(tokenizer_file),
        max_tokens(the_max_tokens),
        form(the_form),
        dtype(compute == TextCompute::bfloat16 ? at::kBFloat16 : at::kFloat) {
    if (engine.on_card()) card.emplace(device_of(engine));
  }

  WeightSet weights;
  T5Options options;
  Tokenizer tokenizer;
  int max_tokens;
  PromptForm form;
  at::ScalarType dtype;
  std::optional<CardWeights> card;
};

TextStates unpacked(const PackedText& text) { return {from_bfloat16s(text.states), text.tokens}; }

T5Texts::T5Texts(const std::filesystem::path& folder, const std::filesystem::path& tokenizer,
                 int max_tokens, TextCompute compute, const PromptForm& form, const Engine& engine)
    : state_(std::make_unique<State>(folder, tokenizer, max_tokens, compute, form, engine)) {
  const T5Encoder checks(state_->weights, state_->options, state_->dtype);
  if (state_->tokenizer.vocab() > state_->options.vocab) {
    throw DataError(tokenizer.string() + ": a tokenizer of " +
                    std::to_string(state_->tokenizer.vocab()) + " tokens, but " +
                    state_->weights.where() + " knows " + std::to_string(state_->options.vocab) +
                    ": they do not belong together");
  }
}

T5Texts::~T5Texts() = default;

int T5Texts::width() const { return state_->options.d_model; }

PackedText T5Texts::encode(std::string_view prompt) const {
  const c10::InferenceMode no_gradients;
  // An encoder of its own: it is views of the mapped weights, and the piece of memory that one
  // thread widens matrices into.
  T5Encoder encoder(state_->weights, state_->options, state_->dtype,
                    state_->card ? &*state_->card : nullptr);
  const std::vector<std::vector<int>> tokens = {
      state_->tokenizer.encode(read_text(prompt, state_->form), state_->max_tokens)};
  const at::Tensor states = encoder.encode(tokens).states.to(at::kBFloat16).cpu().contiguous();
  if (!at::isfinite(states).all().item<bool>()) {
    throw DataError(state_->weights.where() +
                    ": a prompt's states are not finite (are the weights "
                    "those of a T5 v1.1, and undamaged?)");
  }
  PackedText text;
  text.tokens = static_cast<int>(tokens.front().size());
  const auto* bits = static_cast<const std::uint16_t*>(states.const_data_ptr());
  text.states.assign(bits, bits + states.numel());
  return text;
}

}  // namespace evd::nn
