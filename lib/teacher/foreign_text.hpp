#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace evd::teacher {

/// What a service wrote, fit for tables and logs: one line of UTF-8 of at
/// most `max_bytes`, cut between characters. A control character (a shard refuses a zero byte in a
/// name, a terminal obeys others) becomes a space, a byte that is no UTF-8 a question mark.
[[nodiscard]] std::string foreign_text(std::string_view text, std::size_t max_bytes);

}  // namespace evd::teacher
