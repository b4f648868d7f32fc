#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace evd {

/// Why a prompt line was not taken.
enum class PromptFault { blank, not_utf8, too_long, control_character };

/// True when `text` is well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);
/// Number of code points of well-formed UTF-8.
[[nodiscard]] std::size_t code_points(std::string_view text);

/// The canonical form that makes two prompts equal: Unicode NFC, runs of white space folded to one
/// space, ends trimmed. Letter case is kept: prompts can ask for written words.
/// Precondition: is_utf8(text).
[[nodiscard]] std::string canonical_prompt(std::string_view text);

/// Checks and canonicalises an untrusted prompt. Control characters and bidirectional overrides
/// are refused (they can disguise a text), other right-to-left text and emoji are taken.
/// `max_chars` counts code points.
struct CheckedPrompt {
  std::string text;                  ///< canonical; empty when refused
  std::optional<PromptFault> fault;  ///< set when refused
};
[[nodiscard]] CheckedPrompt check_prompt(std::string_view raw, std::size_t max_chars);

/// Unicode case folding, for comparing prompts whatever their letter case. Precondition: is_utf8.
[[nodiscard]] std::string folded_case(std::string_view text);

/// The candidate nearest to `word` by edit distance, for "did you mean"; nothing when all are far.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string> candidates);

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string lower_ascii(std::string_view text);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);
/// As a shell reads it back: `plain`, `'with blanks'`. For every command that a message suggests.
[[nodiscard]] std::string shell_word(std::string_view word);
/// "1.2 GB", "340 kB".
[[nodiscard]] std::string human_bytes(double bytes);
/// "$1.2345" from micro-dollars.
[[nodiscard]] std::string human_usd(std::int64_t microusd);
/// printf into a string.
[[nodiscard]] std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

/// At most 80 characters of a name that came from a foreign file, each that is not printable ASCII
/// as `?`: fit for a message of one line.
[[nodiscard]] std::string printable(std::string_view name);

}  // namespace evd
