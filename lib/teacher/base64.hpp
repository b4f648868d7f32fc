#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace evd::teacher {

/// Bytes of standard base64 (RFC 4648 section 4), padded or not; nothing when a character or the
/// length is wrong. White space is not accepted: no service sends it inside a JSON string.
[[nodiscard]] std::optional<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace evd::teacher
