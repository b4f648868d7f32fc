#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace evd::rehearsal {

/// Bytes of standard base64 with padding; nothing when it is none.
[[nodiscard]] std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace evd::rehearsal
