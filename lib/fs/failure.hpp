#pragma once

#include <filesystem>
#include <string_view>

namespace evd::fs {

/// What a person can do about `code` (an errno), such as "free space, then start again"; empty when
/// nothing useful can be said.
[[nodiscard]] std::string_view suggestion(int code);

/// IoError `operation path: Reason (suggestion)` from the current errno.
[[noreturn]] void fail(std::string_view operation, const std::filesystem::path& path);
[[noreturn]] void fail(std::string_view operation, const std::filesystem::path& path, int code);

}  // namespace evd::fs
