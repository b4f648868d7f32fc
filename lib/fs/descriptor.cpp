#include "fs/descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/failure.hpp"

namespace evd::fs {

int Descriptor::open(const std::filesystem::path& path, int flags, unsigned mode) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (number < 0 && errno == EINTR);
  return number;
}

Descriptor::Descriptor(std::string_view operation, const std::filesystem::path& path, int flags,
                       unsigned mode)
    : number_(open(path, flags, mode)) {
  if (number_ < 0) fail(operation, path);
}

std::optional<Descriptor> Descriptor::create(std::string_view operation,
                                             const std::filesystem::path& path, unsigned mode) {
  Descriptor made;
  made.number_ = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (made.number_ >= 0) return made;
  if (errno != EEXIST) fail(operation, path);
  return std::nullopt;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void Descriptor::close(std::string_view operation, const std::filesystem::path& path) {
  // Linux frees the descriptor even when close fails, so it is never tried twice.
  if (::close(std::exchange(number_, -1)) != 0 && errno != EINTR) fail(operation, path);
}

void write_all(std::string_view operation, const std::filesystem::path& path, int descriptor,
               Bytes bytes) {
  constexpr std::size_t kMost = 1U << 30;
  while (!bytes.empty()) {
    const auto count = ::write(descriptor, bytes.data(), std::min(bytes.size(), kMost));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(operation, path);
    if (count == 0) fail(operation, path, ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void write_all(std::string_view operation, const std::filesystem::path& path, int descriptor,
               std::span<const Bytes> pieces) {
  constexpr std::size_t kMostPieces = 512;  // IOV_MAX is 1024
  while (!pieces.empty()) {
    const auto now = pieces.first(std::min(kMostPieces, pieces.size()));
    std::array<iovec, kMostPieces> parts;
    std::transform(now.begin(), now.end(), parts.begin(), [](Bytes piece) {
      return iovec{const_cast<std::byte*>(piece.data()), piece.size()};
    });
    const auto written = ::writev(descriptor, parts.data(), static_cast<int>(now.size()));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(operation, path);
    auto rest = static_cast<std::size_t>(written);
    while (!pieces.empty() && rest >= pieces.front().size()) {
      rest -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
    if (rest == 0 && written > 0) continue;
    if (pieces.empty()) return;
    // Cut short inside a piece, as a full disk does.
    write_all(operation, path, descriptor, pieces.front().subspan(rest));
    pieces = pieces.subspan(1);
  }
}

void inherit_from_directory(const std::filesystem::path& directory,
                            const std::filesystem::path& path, int descriptor) {
  struct stat parent {};
  if (::stat(directory.c_str(), &parent) != 0) fail("stat", directory);
  struct stat own {};
  if (::fstat(descriptor, &own) != 0) fail("stat", path);
  // Not being a member of the group is no reason to lose a result.
  if (own.st_gid != parent.st_gid &&
      ::fchown(descriptor, static_cast<uid_t>(-1), parent.st_gid) != 0 && errno != EPERM)
    fail("chown", path);
  if (::fchmod(descriptor, parent.st_mode & 0666U) != 0 && errno != EPERM) fail("chmod", path);
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

}  // namespace evd::fs
