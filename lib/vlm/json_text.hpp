#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace evd::vlm {

/// Limits of what is read in an untrusted reply.
constexpr std::size_t kMaxReplyBytes = 64 * 1024;
constexpr int kMaxDepth = 16;

/// A JSON value found in a text.
struct FoundJson {
  nlohmann::json value;
  std::size_t begin = 0;  ///< byte offset of its bracket
  std::string_view text;  ///< its text
};

/// What a model says after its thoughts: the text behind the last `</think>`, else all of it.
[[nodiscard]] std::string_view without_thoughts(std::string_view reply);

/// Every balanced {...} or [...] of `reply` that is well-formed JSON of at most kMaxDepth levels,
/// outermost only, in order; whatever surrounds them (code fences, prose) is passed over. Nothing
/// when the reply is larger than kMaxReplyBytes. Text is parsed, never evaluated.
[[nodiscard]] std::vector<FoundJson> find_json(std::string_view reply);

}  // namespace evd::vlm
