#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "fs/descriptor.hpp"

namespace evd::fs {

/// A file open for reading at any place; thread-safe. What it shows stays the same when the name is
/// renamed or published anew meanwhile.
class ReadFile {
 public:
  /// IoError when it cannot be opened or is not a regular file.
  explicit ReadFile(const std::filesystem::path& path);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Fills `out` from `offset`; DataError when the file ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace evd::fs
