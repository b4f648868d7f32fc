#include "fs/read_file.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "fs/failure.hpp"

namespace evd::fs {

// O_NONBLOCK: opening a named pipe that someone left in the directory must not hang.
ReadFile::ReadFile(const std::filesystem::path& path)
    : path_(path), file_("open", path, O_RDONLY | O_NONBLOCK) {
  struct stat status {};
  if (::fstat(file_.number(), &status) != 0) fail("stat", path_);
  if (S_ISDIR(status.st_mode)) fail("open", path_, EISDIR);
  if (!S_ISREG(status.st_mode)) throw IoError("open " + path_.string() + ": not a regular file");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void ReadFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  constexpr std::size_t kMost = 1U << 30;
  while (!out.empty()) {
    const auto count = ::pread(file_.number(), out.data(), std::min(out.size(), kMost),
                               static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path_);
    if (count == 0)
      throw DataError(path_.string() + ": ends at byte " + std::to_string(offset) +
                      " (it is truncated)");
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace evd::fs
