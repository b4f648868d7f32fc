#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "fs/descriptor.hpp"

namespace evd::fs {

/// Whole file as bytes or text; IoError, or DataError when it is larger than `limit_bytes`.
[[nodiscard]] std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                                std::uint64_t limit_bytes = 1ULL << 34);
[[nodiscard]] std::string read_text(const std::filesystem::path& path,
                                    std::uint64_t limit_bytes = 1ULL << 28);
/// SHA-256 of a file's content.
[[nodiscard]] Sha256 sha256_file(const std::filesystem::path& path);

/// Append-only file with one writer (journals). Move-only.
class AppendFile {
 public:
  /// Creates the file; IoError when it exists already (a journal is never continued by another
  /// life).
  explicit AppendFile(const std::filesystem::path& path);
  ~AppendFile();
  AppendFile(AppendFile&&) noexcept = default;
  AppendFile& operator=(AppendFile&&) = delete;
  /// Appends; durable only after sync(). Returns the offset at which the bytes begin. After a
  /// failure of append() or sync() every further call is an IoError.
  std::uint64_t append(std::span<const Bytes> pieces);
  std::uint64_t append(Bytes bytes) { return append(std::span(&bytes, 1)); }
  void sync();
  /// Takes room on the disk for `bytes` more, so that appending them cannot meet a full one; what
  /// is not used goes back in the end. IoError when there is no such room; a file system that
  /// takes nothing ahead is left alone. Cost: nothing, as long as what was taken before suffices.
  void reserve(std::uint64_t bytes);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  void require_healthy() const;
  std::filesystem::path path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
  std::uint64_t reserved_ = 0;  // the end of what was taken ahead
  bool can_reserve_ = true;
  bool failed_ = false;
};

/// Creates a directory (and parents) with the mode and group of the nearest existing parent;
/// fsyncs.
void make_directory(const std::filesystem::path& path);
/// Renames a file or directory and fsyncs both parents. The way results are retired. IoError when
/// `to` exists.
void rename(const std::filesystem::path& from, const std::filesystem::path& to);
void sync_directory(const std::filesystem::path& path);

}  // namespace evd::fs
