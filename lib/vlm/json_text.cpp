#include "vlm/json_text.hpp"

#include <optional>

namespace evd::vlm {
namespace {

constexpr int kMaxStarts = 64;  // brackets tried; bounds the work on hostile replies

// Offset behind the bracket that closes the one at `begin`; nothing when unbalanced or too deep.
std::optional<std::size_t> balanced_end(std::string_view text, std::size_t begin) {
  std::string closers;
  bool in_string = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') {
      if (std::ssize(closers) == kMaxDepth) return std::nullopt;
      closers += c == '{' ? '}' : ']';
    }
    if (c == '}' || c == ']') {
      if (closers.back() != c) return std::nullopt;
      closers.pop_back();
      if (closers.empty()) return i + 1;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view without_thoughts(std::string_view reply) {
  constexpr std::string_view kEnd = "</think>";
  const auto end = reply.rfind(kEnd);
  return end == std::string_view::npos ? reply : reply.substr(end + kEnd.size());
}

std::vector<FoundJson> find_json(std::string_view reply) {
  std::vector<FoundJson> found;
  if (reply.size() > kMaxReplyBytes) return found;
  std::size_t at = 0;
  for (int tries = 0; tries < kMaxStarts; ++tries) {
    at = reply.find_first_of("{[", at);
    if (at == std::string_view::npos) break;
    const auto end = balanced_end(reply, at);
    if (end) {
      const auto text = reply.substr(at, *end - at);
      auto value = nlohmann::json::parse(text, nullptr, false);
      if (!value.is_discarded()) {
        found.push_back({std::move(value), at, text});
        at = *end;
        continue;
      }
    }
    ++at;
  }
  return found;
}

}  // namespace evd::vlm
