#include "vlm/logprobs.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace evd::vlm {
namespace {

constexpr double kLeastCoverage = 0.5;

enum class Group { a, b, tie, none };

// The letters of a token decide; quotes, brackets and blanks around them are tokenizers' habits.
Group group_of(std::string_view token) {
  std::string letters;
  for (const char c : lower_ascii(token)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) letters += c;
  }
  if (letters == "a") return Group::a;
  if (letters == "b") return Group::b;
  // The first token of "tie" may be a part of the word.
  if (letters == "t" || letters == "ti" || letters == "tie") return Group::tie;
  return Group::none;
}

}  // namespace

std::vector<Token> token_texts(std::string_view logprobs_json) {
  std::vector<Token> tokens;
  if (logprobs_json.empty()) return tokens;
  const auto root = nlohmann::json::parse(logprobs_json, nullptr, false);
  if (!root.is_object() || !root.contains("content") || !root["content"].is_array()) return tokens;
  for (const auto& item : root["content"]) {
    if (!item.is_object() || !item.contains("token") || !item["token"].is_string()) return {};
    Token token{item["token"].get<std::string>(), {}};
    const auto top = item.find("top_logprobs");
    if (top != item.end() && top->is_array())
      for (const auto& other : *top)
        if (other.is_object() && other.contains("token") && other["token"].is_string() &&
            other.contains("logprob") && other["logprob"].is_number())
          token.top.emplace_back(other["token"].get<std::string>(), other["logprob"].get<double>());
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::string joined(const std::vector<Token>& tokens) {
  std::string text;
  for (const auto& token : tokens) text += token.text;
  return text;
}

std::optional<double> choice_probability(const std::vector<Token>& tokens, std::size_t at) {
  std::size_t end = 0;
  for (const auto& token : tokens) {
    end += token.text.size();
    if (end <= at) continue;
    double a = 0;
    double b = 0;
    double tie = 0;
    for (const auto& [text, logprob] : token.top) {
      const double p = std::exp(std::min(logprob, 0.0));
      const auto group = group_of(text);
      if (group == Group::a) a += p;
      if (group == Group::b) b += p;
      if (group == Group::tie) tie += p;
    }
    const double covered = a + b + tie;
    if (!(covered >= kLeastCoverage)) return std::nullopt;
    return (a + tie / 2) / covered;
  }
  return std::nullopt;
}

}  // namespace evd::vlm
