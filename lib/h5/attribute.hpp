#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "h5/handle.hpp"

namespace evd::h5 {

/// Refuses an object with too many attributes, or with one that is too large.
void check_attributes(std::int64_t object, const Place& place);

/// Attributes of an object; nothing when there is none of that name, DataError when it has another
/// type.
[[nodiscard]] std::optional<std::string> read_text(std::int64_t object, const std::string& key,
                                                   const Place& place);
[[nodiscard]] std::optional<std::uint64_t> read_u64(std::int64_t object, const std::string& key,
                                                    const Place& place);
[[nodiscard]] std::optional<std::vector<std::int32_t>> read_i32s(std::int64_t object,
                                                                 const std::string& key,
                                                                 const Place& place);

}  // namespace evd::h5
