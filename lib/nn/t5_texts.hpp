#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "nn/device.hpp"
#include "nn/texts.hpp"

namespace evd::nn {

/// The states of one prompt as they are stored: bfloat16, real tokens only.
struct PackedText {
  int tokens = 0;                     ///< at least 1: the end mark counts
  std::vector<std::uint16_t> states;  ///< (tokens, width), bits of bfloat16
};
/// What the network reads of it.
[[nodiscard]] TextStates unpacked(const PackedText& text);

/// T5 v1.1 with its tokenizer. This header holds no torch, so that stages stay light. Weights are
/// mapped, never copied as a whole; a card keeps a copy of those that it has used.
class T5Texts final : public Texts {
 public:
  /// `folder` as WeightSet::open takes it, with config.json; `tokenizer` a spiece.model. Prompts
  /// are brought into their form (read_text()), then cut to max_tokens, the end mark among them.
  /// It computes on the device of `engine`, in `compute`.
  /// DataError as T5Encoder and Tokenizer; also when their vocabularies do not fit each other.
  T5Texts(const std::filesystem::path& folder, const std::filesystem::path& tokenizer,
          int max_tokens, TextCompute compute, const PromptForm& form = {},
          const Engine& engine = {});
  ~T5Texts() override;

  [[nodiscard]] int width() const override;
  /// One prompt by itself, so that its states depend on nothing else; by the calling thread, and
  /// several may call it. DataError when a state is not finite.
  [[nodiscard]] PackedText encode(std::string_view prompt) const;
  [[nodiscard]] TextStates states(std::string_view prompt) const override {
    return unpacked(encode(prompt));
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::nn
