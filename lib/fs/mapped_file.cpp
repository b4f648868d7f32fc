#include "fs/mapped_file.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "fs/descriptor.hpp"
#include "fs/failure.hpp"

namespace evd::fs {

// O_NONBLOCK: opening a named pipe that someone left in the directory must not hang.
MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const Descriptor file("open", path, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) fail("stat", path_);
  if (S_ISDIR(status.st_mode)) fail("open", path_, EISDIR);
  if (!S_ISREG(status.st_mode)) throw IoError("open " + path_.string() + ": not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;  // mmap refuses no bytes
  void* start = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.number(), 0);
  if (start == MAP_FAILED) fail("map", path_);
  data_ = static_cast<const std::byte*>(start);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace evd::fs
