#pragma once

#include <string>

#include "core/hash.hpp"

namespace evd {

/// Standard base64 with padding, in one line (RFC 4648 section 4).
[[nodiscard]] std::string base64(Bytes bytes);

}  // namespace evd
