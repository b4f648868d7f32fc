#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"

namespace evd::fs {

/// The one way a file appears: unique temporary name in the same directory, write, fsync, close,
/// reopen and verify (every byte, then `verify`), rename, fsync of the directory. On any
/// error the temporary file is removed and IoError thrown; `path` is untouched or whole. Mode and
/// group come from the directory. Replaces an existing file atomically.
/// Returns the SHA-256 of the bytes.
Sha256 publish(const std::filesystem::path& path, std::span<const Bytes> pieces,
               const std::function<void(const std::filesystem::path&)>& verify = {});
Sha256 publish(const std::filesystem::path& path, Bytes bytes);
Sha256 publish(const std::filesystem::path& path, std::string_view text);

/// Temporary files and folders in `directory` whose publishers are gone: of this host and no such
/// process any more, or untouched for a day. A directory that is not there has none.
[[nodiscard]] std::vector<std::filesystem::path> leftovers(const std::filesystem::path& directory);
/// Removes them, and gives their number.
std::size_t remove_leftovers(const std::filesystem::path& directory);

/// Counts and names the I/O events of this process (`publish.write`, `journal.sync`, ...). When the
/// environment says EVD_KILL_AT=n (and EVD_KILL_RANK is this rank or unset) the n-th event ends the
/// process with SIGKILL; EVD_IO_TRACE=FILE appends `rank n name path` lines. For tests of crashes.
void io_event(std::string_view name, const std::filesystem::path& path);
/// The rank that EVD_KILL_RANK is compared with; set once by the program shell.
void set_io_rank(int rank);

}  // namespace evd::fs
