#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace evd {

/// A text by code points, for rules that speak of characters.
using CodePoints = std::u32string;
using CodePointsView = std::u32string_view;

/// UTF-8 to code points; each ill-formed sequence (as long as it could have gone on) is one U+FFFD.
[[nodiscard]] CodePoints decoded(std::string_view utf8);
/// Precondition: no surrogates, nothing above U+10FFFF.
[[nodiscard]] std::string encoded(CodePointsView text);

// What a character counts as, as in Python's regular expressions.
[[nodiscard]] bool is_space(char32_t c);
/// A decimal digit of any script.
[[nodiscard]] bool is_digit(char32_t c);
/// A letter or number of any script, or `_`.
[[nodiscard]] bool is_word(char32_t c);
[[nodiscard]] bool is_ascii_letter(char32_t c);
[[nodiscard]] bool is_ascii_digit(char32_t c);

/// Lower case, a sigma at the end of a word included.
[[nodiscard]] CodePoints lowered(CodePointsView text);

enum class NormalForm : std::uint8_t { nfc, nfkc };
[[nodiscard]] CodePoints normalised(CodePointsView text, NormalForm form);

}  // namespace evd
