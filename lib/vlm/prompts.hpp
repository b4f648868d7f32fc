#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/enum.hpp"
#include "core/id.hpp"

namespace evd::vlm {

/// Why a prompt that the VLM wrote was not taken.
enum class Drop : std::uint8_t {
  none,
  not_utf8,
  control_character,
  blank,
  too_short,
  too_long,
  repeats  ///< equals a prompt that the set has or had, a held-out one, or another new one
};

/// A VLM-written text after its check: canonical when taken.
struct Written {
  std::string text;
  Drop drop = Drop::none;
};

/// At least this many code points: a bare string read as a list must not become prompts of one
/// character.
constexpr std::size_t kMinPromptChars = 3;

/// Form and length only: UTF-8, no control characters, kMinPromptChars to `max_chars` code points,
/// canonical form.
[[nodiscard]] Written check_written(std::string_view raw, std::size_t max_chars);

/// Prompts that may not come again: canonical and case-folded, by 128 bits of SHA-256. Cheap to
/// fill with everything a large set ever had.
class KnownPrompts {
 public:
  void reserve(std::size_t count) { folded_.reserve(count); }
  /// False when it was known. `canonical` comes from canonical_prompt().
  bool add(std::string_view canonical) { return folded_.insert(fingerprint(canonical)).second; }
  [[nodiscard]] bool contains(std::string_view canonical) const {
    return folded_.contains(fingerprint(canonical));
  }

 private:
  using Fingerprint = HexId<struct PromptTag, 16>;
  [[nodiscard]] static Fingerprint fingerprint(std::string_view canonical);
  std::unordered_set<Fingerprint> folded_;
};

}  // namespace evd::vlm

namespace evd {
template <>
struct EnumNames<vlm::Drop> {
  static constexpr std::array<std::string_view, 7> value = {
      "none", "not_utf8", "control_character", "blank", "too_short", "too_long", "repeats"};
};
}  // namespace evd
