#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum.hpp"
#include "core/hash.hpp"
#include "vlm/dialect.hpp"

namespace evd::vlm {

/// What the VLM can be asked. The name is also the name of the JSON schema that is sent.
enum class Template : std::uint8_t { verdict, variations, mutation, alignment };
/// Lengths of a mutated prompt (paper App. D: four, drawn at random).
enum class LengthStyle : std::uint8_t { rough, dense, mixed, extended };

/// Version of a template's wording. It is part of every request key, so raise it with any change
/// of text, schema or sampling parameters.
[[nodiscard]] int version(Template kind);

/// One question in words; pictures are added when it is sent.
struct Question {
  Template kind = Template::verdict;
  std::string system;
  std::vector<std::string> parts;  ///< texts of the user message; picture k follows parts[k]
  int pictures = 0;
  double temperature = 0;
  int max_tokens = 0;
  Dialect dialect = {};  ///< the form it is sent in; no part of the request key

  /// All the words, for the request key.
  [[nodiscard]] std::string text() const;
  /// Template, version and sampling parameters, for the request key.
  [[nodiscard]] std::string parameters() const;
};

/// Which of two pictures, A (sent first) or B, fits `prompt` better, or tie. `attempt` counts
/// earlier replies that could not be read: the wording and the temperature change with it, or a
/// deterministic server would only repeat itself.
[[nodiscard]] Question verdict(std::string_view prompt, int attempt);
/// `count` variations of `prompt`; `known` are variations it already has.
[[nodiscard]] Question variations(std::string_view prompt, int count,
                                  std::span<const std::string> known, int attempt);
/// One prompt that has nothing to do with `prompt`, in a given length.
[[nodiscard]] Question mutation(std::string_view prompt, LengthStyle style, int attempt);
/// How well one picture fits `prompt`, 0 to 100.
[[nodiscard]] Question alignment(std::string_view prompt, int attempt);

/// `data:<mime>;base64,...`; the mime must be what the bytes are, or servers refuse them.
[[nodiscard]] std::string data_url(std::string_view mime, Bytes bytes);
/// Body of POST /chat/completions. `data_urls` holds question.pictures entries.
[[nodiscard]] std::string body(const Question& question, std::string_view model,
                               std::span<const std::string> data_urls);

}  // namespace evd::vlm

namespace evd {
template <>
struct EnumNames<vlm::Template> {
  static constexpr std::array<std::string_view, 4> value = {"verdict", "variations", "mutation",
                                                            "alignment"};
};
template <>
struct EnumNames<vlm::LengthStyle> {
  static constexpr std::array<std::string_view, 4> value = {"rough", "dense", "mixed", "long"};
};
}  // namespace evd
