#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/option.hpp"

namespace evd::vlm {

/// What a server calls the highest number of tokens of a reply. OpenAI's reasoning models refuse
/// max_tokens; older vLLM and llama.cpp servers know nothing else.
enum class TokenLimit : std::uint8_t { max_completion_tokens, max_tokens };
/// How a reply is held to its JSON: by a strict schema, as any JSON object, or by the question's
/// words alone. The last two are for servers that refuse a schema; replies are read as tolerantly.
enum class Structured : std::uint8_t { json_schema, json_object, none };

/// The form in which a chat server takes questions. A question's key does not depend on it: the
/// same is asked in every form, and a recorded answer stays good.
struct Dialect {
  TokenLimit token_limit = TokenLimit::max_completion_tokens;
  Structured structured = Structured::json_schema;

  template <class V>
  void describe(V& v) {
    v("token_limit", token_limit,
      {"", "what the server calls the limit of a reply; older ones: max_tokens", Scope::operation});
    v("structured", structured,
      {"", "how a reply is held to JSON; less for a server that refuses a schema",
       Scope::operation});
  }
};

}  // namespace evd::vlm

namespace evd {
template <>
struct EnumNames<vlm::TokenLimit> {
  static constexpr std::array<std::string_view, 2> value = {"max_completion_tokens", "max_tokens"};
};
template <>
struct EnumNames<vlm::Structured> {
  static constexpr std::array<std::string_view, 3> value = {"json_schema", "json_object", "none"};
};
}  // namespace evd
