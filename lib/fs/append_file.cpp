#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "fs/descriptor.hpp"
#include "fs/failure.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::fs {
namespace {

constexpr std::uint64_t kReserveBytes = 4U << 20;  // at a time, so that it is rare

// No limit of the process is met by taking room ahead: only by what is written then.
bool is_beyond_limit(std::uint64_t size) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         size > limit.rlim_cur;
}

int take_room(int descriptor, std::uint64_t begin, std::uint64_t end) {
  int code = 0;
  do {
    const int refused = ::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                                    static_cast<off_t>(end - begin));
    code = refused == 0 ? 0 : errno;
  } while (code == EINTR);
  return code;
}

}  // namespace

AppendFile::AppendFile(const std::filesystem::path& path) : path_(path) {
  io_event("append.create", path_);
  file_ = Descriptor("append.create", path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
  inherit_from_directory(directory_of(path_), path_, file_.number());
  sync_directory(directory_of(path_));
}

AppendFile::~AppendFile() {
  if (file_.number() < 0 || reserved_ <= size_) return;
  // Cutting a file to the size that it has frees what was taken behind its end. That size and not
  // ours: of a write that failed, whole records may be there.
  struct stat status {};
  if (::fstat(file_.number(), &status) == 0)
    static_cast<void>(::ftruncate(file_.number(), status.st_size));
}

void AppendFile::reserve(std::uint64_t bytes) {
  require_healthy();
  const std::uint64_t end = size_ + bytes;
  if (is_beyond_limit(end)) fail("append.reserve", path_, EFBIG);
  if (!can_reserve_ || end <= reserved_) return;
  io_event("append.reserve", path_);
  const std::uint64_t rounded = (end + kReserveBytes - 1) / kReserveBytes * kReserveBytes;
  const int code = take_room(file_.number(), size_, rounded);
  if (code == EOPNOTSUPP || code == ENOSYS || code == EINVAL) {
    can_reserve_ = false;
    return;
  }
  if (code != 0) fail("append.reserve", path_, code);
  reserved_ = rounded;
}

void AppendFile::require_healthy() const {
  if (failed_)
    throw IoError("append " + path_.string() +
                  ": an earlier write to it failed (start again: a new file is used then)");
}

std::uint64_t AppendFile::append(std::span<const Bytes> pieces) {
  require_healthy();
  io_event("append.write", path_);
  // Until all is well, so that a record never follows half a record.
  failed_ = true;
  write_all("append.write", path_, file_.number(), pieces);
  failed_ = false;
  std::uint64_t bytes = 0;
  for (const Bytes piece : pieces) bytes += piece.size();
  return std::exchange(size_, size_ + bytes);
}

void AppendFile::sync() {
  require_healthy();
  io_event("append.sync", path_);
  failed_ = true;
  if (::fdatasync(file_.number()) != 0) fail("append.sync", path_);
  failed_ = false;
}

}  // namespace evd::fs
