#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"

namespace evd {

/// Standard base64 with padding, in one line (RFC 4648 section 4).
[[nodiscard]] std::string base64(Bytes bytes);

/// Bytes of standard base64, padded or not; nothing when a character or the length is wrong. White
/// space is not accepted: nobody sends it inside a JSON string. Code of its own, not OpenSSL's:
/// that one accepts white space and takes ten times as long, and pictures come this way.
[[nodiscard]] std::optional<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace evd
