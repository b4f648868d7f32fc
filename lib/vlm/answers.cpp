#include "vlm/answers.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "core/text.hpp"
#include "vlm/json_text.hpp"
#include "vlm/logprobs.hpp"
#include "vlm/prose.hpp"

namespace evd::vlm {
namespace {

using nlohmann::json;
using shard::Choice;

// P(winner) of a bare word, and the most that a spoken confidence can claim: models say 100 for
// almost anything, and a near-certain probability would outweigh the other order.
constexpr double kWordProbability = 0.8;
constexpr double kMostConfident = 0.95;

std::string letters(std::string_view text) {
  std::string kept;
  for (const char c : lower_ascii(text))
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) kept += c;
  return kept;
}

Choice choice_of(std::string_view winner) {
  std::string word = letters(winner);
  for (const std::string_view noun : {"image", "picture", "option"})
    if (word.starts_with(noun)) word.erase(0, noun.size());
  if (word == "a" || word == "first") return Choice::first;
  if (word == "b" || word == "second") return Choice::second;
  for (const std::string_view tie : {"tie", "neither", "none", "both", "equal", "draw"})
    if (word == tie) return Choice::tie;
  return Choice::unparsed;
}

// 0..100 from a number or a numeric text such as "85 %".
std::optional<double> percent(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end()) return std::nullopt;
  double value = NAN;
  if (at->is_number()) value = at->get<double>();
  if (at->is_string()) {
    const auto text = at->get<std::string>();
    char* end = nullptr;
    value = std::strtod(text.c_str(), &end);
    const auto rest = trim(std::string_view(end));
    if (end == text.c_str() || !(rest.empty() || rest == "%")) return std::nullopt;
  }
  if (!std::isfinite(value) || value < 0 || value > 100) return std::nullopt;
  return value;
}

// A verdict, its place in the text, and the spoken confidence.
struct Spoken {
  Choice choice = Choice::unparsed;
  std::size_t at = 0;
  std::optional<double> confidence;
};

// Offset of the value of `"winner":` in an object's text; nothing when the key stands there twice.
std::optional<std::size_t> winner_offset(std::string_view object) {
  constexpr std::string_view kKey = "\"winner\"";
  const auto key = object.find(kKey);
  if (key == std::string_view::npos || object.find(kKey, key + 1) != std::string_view::npos)
    return std::nullopt;
  const auto value = object.find_first_not_of(" \t\r\n:\"", key + kKey.size());
  return value == std::string_view::npos ? std::nullopt : std::optional(value);
}

Spoken spoken_verdict(std::string_view reply) {
  const auto said = without_thoughts(reply);
  const auto shift = static_cast<std::size_t>(said.data() - reply.data());
  Spoken spoken;
  bool any_object = false;
  for (const auto& found : find_json(said)) {
    if (!found.value.is_object() || !found.value.contains("winner")) continue;
    any_object = true;
    const auto& winner = found.value["winner"];
    const auto choice =
        winner.is_string() ? choice_of(winner.get<std::string>()) : Choice::unparsed;
    if (choice == Choice::unparsed) continue;
    const auto offset = winner_offset(found.text);
    if (!offset || (spoken.choice != Choice::unparsed && spoken.choice != choice)) return {};
    if (spoken.choice == Choice::unparsed)
      spoken = {choice, shift + found.begin + *offset, percent(found.value, "confidence")};
  }
  // A broken or cut object is no prose: what its other half said is unknown.
  if (any_object || said.find("\"winner\"") != std::string_view::npos) return spoken;
  const auto prose = prose_verdict(said);
  return {prose.choice, shift + prose.at, std::nullopt};
}

double toward(Choice choice, double p_winner) {
  if (choice == Choice::first) return p_winner;
  return choice == Choice::second ? 1.0 - p_winner : 0.5;
}

bool is_text_list(const json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_string(); });
}

std::vector<std::string> texts(const json& list, int count) {
  std::vector<std::string> items;
  for (const auto& item : list)
    if (std::ssize(items) < count) items.push_back(item.get<std::string>());
  return items;
}

}  // namespace

VerdictReading read_verdict(std::string_view reply, std::string_view logprobs_json) {
  const auto spoken = spoken_verdict(reply);
  if (spoken.choice == Choice::unparsed) return {};
  const auto rounded = [&](double p, Evidence evidence) {
    return VerdictReading{spoken.choice, static_cast<float>(p), evidence};
  };
  if (const auto tokens = token_texts(logprobs_json); !tokens.empty()) {
    // The tokens' text may differ from the content (special tokens): read the verdict in it too.
    const auto in_tokens = spoken_verdict(joined(tokens));
    if (in_tokens.choice == spoken.choice)
      if (const auto p = choice_probability(tokens, in_tokens.at))
        return rounded(*p, Evidence::token);
  }
  if (spoken.choice == Choice::tie) return rounded(0.5, Evidence::word);
  if (spoken.confidence)
    return rounded(toward(spoken.choice, 0.5 + (kMostConfident - 0.5) * *spoken.confidence / 100.0),
                   Evidence::confidence);
  return rounded(toward(spoken.choice, kWordProbability), Evidence::word);
}

std::vector<std::string> read_variations(std::string_view reply, int count) {
  const auto said = without_thoughts(reply);
  if (said.size() > kMaxReplyBytes) return {};
  for (const auto& found : find_json(said)) {
    if (is_text_list(found.value) && !found.value.empty()) return texts(found.value, count);
    if (!found.value.is_object()) continue;
    const auto list = found.value.find("descriptions");
    if (list != found.value.end())
      return is_text_list(*list) ? texts(*list, count) : std::vector<std::string>{};
  }
  auto items = prose_list(said);
  if (std::ssize(items) > count) items.resize(static_cast<std::size_t>(count));
  return items;
}

std::optional<std::string> read_mutation(std::string_view reply) {
  const auto said = without_thoughts(reply);
  if (said.size() > kMaxReplyBytes) return std::nullopt;
  for (const auto& found : find_json(said)) {
    const auto& value = found.value;
    if (value.is_object() && value.contains("description")) {
      if (!value["description"].is_string()) return std::nullopt;
      return value["description"].get<std::string>();
    }
    const auto& list =
        value.is_object() && value.contains("descriptions") ? value["descriptions"] : value;
    if (is_text_list(list) && list.size() == 1) return list[0].get<std::string>();
    return std::nullopt;
  }
  if (is_refusal(said)) return std::nullopt;
  return prose_paragraph(said);
}

std::optional<float> read_alignment(std::string_view reply) {
  const auto said = without_thoughts(reply);
  for (const auto& found : find_json(said))
    if (found.value.is_object() && found.value.contains("score")) {
      const auto score = percent(found.value, "score");
      return score ? std::optional(static_cast<float>(*score / 100.0)) : std::nullopt;
    }
  // "Score: 85", "85/100", "85 %": exactly one number, apart from an "out of 100".
  std::vector<double> numbers;
  for (std::size_t i = 0; i < said.size() && said.size() < 400;) {
    if (std::isdigit(static_cast<unsigned char>(said[i])) == 0) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < said.size() && (std::isdigit(static_cast<unsigned char>(said[i])) != 0 ||
                               (said[i] == '.' && i + 1 < said.size() &&
                                std::isdigit(static_cast<unsigned char>(said[i + 1])) != 0)))
      ++i;
    numbers.push_back(std::strtod(std::string(said.substr(begin, i - begin)).c_str(), nullptr));
  }
  if (numbers.size() == 2 && numbers.back() == 100.0) numbers.pop_back();
  if (numbers.size() != 1 || numbers.front() > 100.0) return std::nullopt;
  return static_cast<float>(numbers.front() / 100.0);
}

}  // namespace evd::vlm
