#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace evd::nn {

/// What the network reads of one prompt.
struct TextStates {
  std::vector<float> values;  ///< (tokens, width), row-major
  int tokens = 0;             ///< at least 1
};

/// Whether a caption is given to the network or left out (classifier-free guidance).
enum class Caption : std::uint8_t { kept, dropped };

/// Frozen hashed word vectors, in place of T5 where no weights are at hand: a word's vector is
/// drawn from the hash of the word in lower case (unit variance, the same in every campaign), and a
/// small sine-cosine code of its place is added, so that the order of words can be seen. Words are
/// runs of letters, digits and non-ASCII characters; punctuation only separates.
class TextEncoder {
 public:
  TextEncoder(int width, int max_tokens);

  /// States of at most max_tokens words; a prompt without a word has one token of its own.
  [[nodiscard]] TextStates encode(std::string_view prompt);

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int max_tokens() const { return max_tokens_; }

 private:
  const std::vector<float>& vector_of(const std::string& word);

  int width_;
  int max_tokens_;
  std::vector<float> places_;  // (max_tokens, width)
  std::unordered_map<std::string, std::vector<float>> words_;
};

/// The words that the encoder sees, in lower case.
[[nodiscard]] std::vector<std::string> words_of(std::string_view prompt);

}  // namespace evd::nn
