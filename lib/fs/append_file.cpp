#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.hpp"
#include "fs/descriptor.hpp"
#include "fs/failure.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::fs {

AppendFile::AppendFile(const std::filesystem::path& path) : path_(path) {
  io_event("append.create", path_);
  file_ = Descriptor("append.create", path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
  inherit_from_directory(directory_of(path_), path_, file_.number());
  sync_directory(directory_of(path_));
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
