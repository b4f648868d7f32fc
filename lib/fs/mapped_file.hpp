#pragma once

#include <cstddef>
#include <filesystem>

#include "core/hash.hpp"

namespace evd::fs {

/// A whole file mapped for reading, for weights that are larger than what one wants to hold. Pages
/// are read when they are touched. Do not truncate a mapped file: touching what is gone ends the
/// program (SIGBUS), as does a read error of the disk. Published files are only ever renamed.
class MappedFile {
 public:
  /// IoError when it cannot be opened or mapped, or is not a regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  [[nodiscard]] Bytes bytes() const { return {data_, size_}; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace evd::fs
