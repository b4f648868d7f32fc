#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace evd::vlm {

/// One generated token and its alternatives with their log-probabilities.
struct Token {
  std::string text;
  std::vector<std::pair<std::string, double>> top;
};

/// Tokens of choices[0].logprobs; empty when it is missing or not of that form.
[[nodiscard]] std::vector<Token> token_texts(std::string_view logprobs_json);
/// The tokens' texts, one after the other.
[[nodiscard]] std::string joined(const std::vector<Token>& tokens);

/// P(A) at the token that covers byte `at` of the joined text: alternatives are grouped by their
/// letters (A, B, tie), a tie counts half, S = sum of exp. Nothing when the three groups cover less
/// than half of the probability, so that other words were likelier than a verdict (apis 3.4).
[[nodiscard]] std::optional<double> choice_probability(const std::vector<Token>& tokens,
                                                       std::size_t at);

}  // namespace evd::vlm
