#include "nn/text_encoder.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace evd::nn {
namespace {

// Not the campaign's seed: weights must mean the same in another campaign that starts from them.
constexpr std::uint64_t kWordSeed = 0;
constexpr double kPlaceScale = 0.5;
constexpr std::size_t kMaxCachedWords = 100'000;
constexpr std::string_view kNoWord = "</s>";

bool in_word(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z');
}

std::vector<float> place_codes(int width, int tokens) {
  std::vector<float> codes(static_cast<std::size_t>(width) * static_cast<std::size_t>(tokens));
  for (int token = 0; token < tokens; ++token) {
    for (int i = 0; i < width; ++i) {
      const double rate = std::pow(100.0, -static_cast<double>(i / 2 * 2) / width);
      const double angle = token * rate;
      codes[static_cast<std::size_t>(token * width + i)] =
          static_cast<float>(kPlaceScale * (i % 2 == 0 ? std::sin(angle) : std::cos(angle)));
    }
  }
  return codes;
}

}  // namespace

std::vector<std::string> words_of(std::string_view prompt) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < prompt.size();) {
    std::size_t end = i;
    while (end < prompt.size() && in_word(prompt[end])) ++end;
    if (end > i) words.push_back(lower_ascii(prompt.substr(i, end - i)));
    i = std::max(end, i + 1);
  }
  return words;
}

TextEncoder::TextEncoder(int width, int max_tokens)
    : width_(width), max_tokens_(max_tokens), places_(place_codes(width, max_tokens)) {
  if (width < 1 || max_tokens < 1) {
    throw ConfigurationError("network: caption_width and max_tokens must be at least 1");
  }
}

const std::vector<float>& TextEncoder::vector_of(const std::string& word) {
  const auto found = words_.find(word);
  if (found != words_.end()) return found->second;
  if (words_.size() >= kMaxCachedWords) words_.clear();
  std::vector<float> values(static_cast<std::size_t>(width_));
  Random(kWordSeed, Purpose::word_vector, xxh3_64(as_bytes(word))).fill_normal(values);
  return words_.emplace(word, std::move(values)).first->second;
}

TextStates TextEncoder::encode(std::string_view prompt) {
  std::vector<std::string> words = words_of(prompt);
  if (words.empty()) words.emplace_back(kNoWord);
  if (words.size() > static_cast<std::size_t>(max_tokens_)) {
    words.resize(static_cast<std::size_t>(max_tokens_));
  }
  TextStates states;
  states.tokens = static_cast<int>(words.size());
  states.values.reserve(words.size() * static_cast<std::size_t>(width_));
  for (const auto& word : words) {
    const auto& vector = vector_of(word);
    for (const float value : vector) {
      states.values.push_back(value + places_[states.values.size()]);
    }
  }
  return states;
}

}  // namespace evd::nn
