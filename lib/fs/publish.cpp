#include "fs/publish.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "fs/descriptor.hpp"
#include "fs/failure.hpp"
#include "fs/file.hpp"
#include "fs/read_file.hpp"
#include "fs/temporary_name.hpp"

namespace evd::fs {
namespace {

// A new file beside `path`; removed unless it has been given its final name.
class TemporaryFile {
 public:
  // Containers repeat host name, pid and counter: a name may be what a killed life left over.
  explicit TemporaryFile(const std::filesystem::path& path) {
    constexpr int kMostNames = 10'000;
    for (int i = 0; i < kMostNames; ++i) {
      path_ = temporary_name(path);
      io_event("publish.create", path_);
      if (auto made = Descriptor::create("publish.create", path_, 0600)) {
        file_ = std::move(*made);
        return;
      }
    }
    fail("publish.create", path_, EEXIST);
  }
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] Descriptor& file() { return file_; }
  void keep() { path_.clear(); }

 private:
  std::filesystem::path path_;
  Descriptor file_;
};

constexpr std::size_t kGroupBytes = 1U << 20;  // stays in the cache of one core

// Calls `use` with the pieces cut and gathered to groups of kGroupBytes.
template <class Use>
void for_each_group(std::span<const Bytes> pieces, Use use) {
  constexpr std::size_t kMostPieces = 512;
  std::vector<Bytes> group;
  std::size_t bytes = 0;
  for (Bytes piece : pieces)
    while (!piece.empty()) {
      const Bytes part = piece.first(std::min(piece.size(), kGroupBytes - bytes));
      group.push_back(part);
      bytes += part.size();
      piece = piece.subspan(part.size());
      if (bytes < kGroupBytes && group.size() < kMostPieces) continue;
      use(group);
      group.clear();
      bytes = 0;
    }
  if (!group.empty()) use(group);
}

// Each group is hashed while it is still in the cache, and while the disk works on it.
Sha256 write_pieces(TemporaryFile& temporary, std::span<const Bytes> pieces) {
  const auto& path = temporary.path();
  Descriptor& file = temporary.file();
  inherit_from_directory(directory_of(path), path, file.number());
  io_event("publish.write", path);
  Sha256Stream digest;
  for_each_group(pieces, [&](std::span<const Bytes> group) {
    write_all("publish.write", path, file.number(), group);
    // Only a hint, which not every file system takes: all that is not on its way yet.
    static_cast<void>(::sync_file_range(file.number(), 0, 0, SYNC_FILE_RANGE_WRITE));
    for (const Bytes piece : group) digest.update(piece);
  });
  io_event("publish.sync", path);
  // A failed fsync is never repeated: the kernel may have dropped the pages and say yes next time.
  if (::fsync(file.number()) != 0) fail("publish.sync", path);
  file.close("publish.close", path);
  return digest.finish();
}

// Whether the file holds these bytes and no others. Compared, not hashed: what was written is still
// here, and comparing takes a tenth of the time.
bool holds(const ReadFile& file, std::span<const Bytes> pieces) {
  constexpr std::size_t kPartBytes = 256U << 10;  // stays in the cache of one core
  std::vector<std::byte> buffer(kPartBytes);
  std::uint64_t offset = 0;
  for (Bytes piece : pieces)
    while (!piece.empty()) {
      const auto part = std::span(buffer).first(std::min(kPartBytes, piece.size()));
      if (part.size() > file.size() - offset) return false;
      file.read_at(offset, part);
      if (std::memcmp(part.data(), piece.data(), part.size()) != 0) return false;
      offset += part.size();
      piece = piece.subspan(part.size());
    }
  return offset == file.size();
}

void verify_content(const std::filesystem::path& path, std::span<const Bytes> pieces) {
  if (!holds(ReadFile(path), pieces))
    throw IoError("publish.verify " + path.string() +
                  ": what was read back is not what was written (the file system is failing: try "
                  "again later or ask its administrators)");
}

}  // namespace

Sha256 publish(const std::filesystem::path& path, std::span<const Bytes> pieces,
               const std::function<void(const std::filesystem::path&)>& verify) {
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
    throw IoError("publish " + path.string() + ": this is a device or a pipe, and is not replaced");
  TemporaryFile temporary(path);
  const Sha256 digest = write_pieces(temporary, pieces);
  verify_content(temporary.path(), pieces);
  if (verify) verify(temporary.path());
  io_event("publish.rename", path);
  if (::rename(temporary.path().c_str(), path.c_str()) != 0) fail("publish.rename", path);
  temporary.keep();
  io_event("publish.sync_directory", path);
  sync_directory(directory_of(path));
  return digest;
}

Sha256 publish(const std::filesystem::path& path, Bytes bytes) {
  return publish(path, std::span<const Bytes>(&bytes, 1));
}

Sha256 publish(const std::filesystem::path& path, std::string_view text) {
  return publish(path, as_bytes(text));
}

}  // namespace evd::fs
