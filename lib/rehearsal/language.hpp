#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rehearsal/scene.hpp"

namespace evd::rehearsal {

/// How a prompt is worded. `plain` is the language's own form; the others are the four length
/// styles of a mutation (paper, appendix D): as few words as possible, below 30 words, above 30,
/// above 50. Longer styles append words that do not change the scene, so that what counts stands
/// first.
enum class Style : std::uint8_t { plain, rough, dense, mixed, expansive };

/// A prompt for a valid scene; `random` picks among equal wordings.
[[nodiscard]] std::string prompt_of(const Scene& scene, Style style, Random& random);

/// The scene that a prompt asks for; nothing for a text outside the language. Any style is
/// understood, and so are common synonyms, other word orders and words that say nothing.
[[nodiscard]] std::optional<Scene> parse_prompt(std::string_view prompt);

}  // namespace evd::rehearsal

namespace evd {
template <>
struct EnumNames<rehearsal::Style> {
  static constexpr std::array<std::string_view, 5> value = {"plain", "rough", "dense", "mixed",
                                                            "long"};
};
}  // namespace evd
