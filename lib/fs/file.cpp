#include "fs/file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/descriptor.hpp"
#include "fs/failure.hpp"
#include "fs/publish.hpp"
#include "fs/read_file.hpp"

namespace evd::fs {
namespace {

std::uint64_t checked_size(const ReadFile& file, std::uint64_t limit_bytes) {
  if (file.size() > limit_bytes)
    throw DataError(file.path().string() + ": " + human_bytes(static_cast<double>(file.size())) +
                    " (more than the " + human_bytes(static_cast<double>(limit_bytes)) +
                    " that such a file may have)");
  return file.size();
}

// One level; its parent exists. Another process may make it at the same time.
void make_one(const std::filesystem::path& path) {
  const auto parent = directory_of(path);
  struct stat status {};
  if (::stat(parent.c_str(), &status) != 0) fail("mkdir", path);
  io_event("mkdir", path);
  const mode_t mode = status.st_mode & 07777U;
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST && std::filesystem::is_directory(path)) return;
    fail("mkdir", path);
  }
  if (::chown(path.c_str(), static_cast<uid_t>(-1), status.st_gid) != 0 && errno != EPERM)
    fail("chown", path);
  // After chown, which clears set-group-id; and again because of the umask.
  if (::chmod(path.c_str(), mode) != 0 && errno != EPERM) fail("chmod", path);
  sync_directory(parent);
}

}  // namespace

std::vector<std::byte> read_bytes(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  const ReadFile file(path);
  std::vector<std::byte> bytes(checked_size(file, limit_bytes));
  file.read_at(0, bytes);
  return bytes;
}

std::string read_text(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  const ReadFile file(path);
  std::string text(checked_size(file, limit_bytes), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

Sha256 sha256_file(const std::filesystem::path& path) {
  const ReadFile file(path);
  std::vector<std::byte> buffer(1U << 20);
  Sha256Stream digest;
  for (std::uint64_t offset = 0; offset < file.size();) {
    const auto part =
        std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), file.size() - offset));
    file.read_at(offset, part);
    digest.update(part);
    offset += part.size();
  }
  return digest.finish();
}

void make_directory(const std::filesystem::path& path) {
  if (path.empty() || std::filesystem::is_directory(path)) return;
  make_directory(path.has_filename() ? path.parent_path() : path.parent_path().parent_path());
  make_one(path.has_filename() ? path : path.parent_path());
}

void rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  // renameat2(NOREPLACE) is missing on network file systems; who renames here holds a lease.
  struct stat status {};
  if (::lstat(to.c_str(), &status) == 0) fail("rename", to, EEXIST);
  io_event("rename", to);
  if (::rename(from.c_str(), to.c_str()) != 0) fail("rename " + from.string() + " to", to);
  sync_directory(directory_of(to));
  if (directory_of(from) != directory_of(to)) sync_directory(directory_of(from));
}

void sync_directory(const std::filesystem::path& path) {
  const Descriptor directory("sync", path, O_RDONLY | O_DIRECTORY);
  // Some network file systems cannot sync a directory and say EINVAL.
  if (::fsync(directory.number()) != 0 && errno != EINVAL) fail("sync", path);
}

}  // namespace evd::fs
