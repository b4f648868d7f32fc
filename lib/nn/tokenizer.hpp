#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "core/id.hpp"

namespace evd::nn {

/// Text to the token numbers that T5 reads, by a SentencePiece model (`spiece.model`).
class Tokenizer {
 public:
  /// DataError, one line: no SentencePiece model, one without EOS, one that does not normalise
  /// (nmt_nfkc; a file cut short loads without it), or one that takes `</s>`, `<pad>` or
  /// `<extra_id_0>` in a text for a control token.
  explicit Tokenizer(const std::filesystem::path& model);
  ~Tokenizer();
  Tokenizer(Tokenizer&& other) noexcept;
  Tokenizer& operator=(Tokenizer&& other) noexcept;

  /// The first max_tokens - 1 tokens of `text`, then EOS; an empty text is EOS alone. Every byte
  /// string is taken: what is not UTF-8 is unknown, and control tokens written out are text.
  /// max_tokens is at least 1. Several threads may call it.
  [[nodiscard]] std::vector<int> encode(std::string_view text, int max_tokens) const;

  [[nodiscard]] int eos() const;
  /// Numbers of the model: tokens are below it.
  [[nodiscard]] int vocab() const;
  /// SHA-256 of the model's file.
  [[nodiscard]] const Sha256& digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::nn
