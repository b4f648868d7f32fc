#pragma once

#include "nn/caption_scan.hpp"

namespace evd::nn {

/// `+` as a blank, and runs of %XX as the UTF-8 they spell (ill-formed: U+FFFD).
[[nodiscard]] CodePoints percent_decoded(TextView text);

/// The text of HTML: without tags, comments, declarations, scripts and styles, with character
/// references resolved. A `<` that begins none of these stays.
[[nodiscard]] CodePoints html_text(TextView text);

/// Character references resolved: numbers, and those names of HTML 4 that lower-cased text can have
/// (`&eacute;`, `&ndash;`), with or without their semicolon. Others stay, without it.
[[nodiscard]] CodePoints references_resolved(TextView text);

/// What windows-1252 has in place of the control character C1 (0x80 to 0x9F); others as they are.
[[nodiscard]] char32_t of_windows_1252(char32_t c);

}  // namespace evd::nn
