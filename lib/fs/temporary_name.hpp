#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace evd::fs {

/// `.<name>.tmp.<host>.<pid>.<counter>` beside `path`, another one at each call: unique among
/// living processes and nodes, and hidden from globs. A dead process in a container may have had
/// it.
[[nodiscard]] std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Who made a temporary file.
struct TemporaryOwner {
  std::string host;
  pid_t pid = 0;
};
/// Nothing when `file_name` is not such a name.
[[nodiscard]] std::optional<TemporaryOwner> parse_temporary_name(std::string_view file_name);

[[nodiscard]] std::string host_name();

}  // namespace evd::fs
