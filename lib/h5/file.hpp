#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "h5/handle.hpp"
#include "h5/type.hpp"

namespace evd::h5 {

enum class Layout { contiguous, chunked };

/// Where stored bytes lie in the file.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// A dataset of a file that nobody trusts. Opening it has checked: one dimension, contiguous or
/// chunked, nothing outside the file, known filters only, and a declared size that the stored bytes
/// can hold.
class Dataset {
 public:
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] const Type& type() const { return type_; }
  [[nodiscard]] Layout layout() const { return layout_; }
  [[nodiscard]] const Place& place() const { return place_; }
  /// All elements; `out` is rows() * type().bytes() bytes. Checksums of chunks are verified.
  void read(std::span<std::byte> out) const;
  /// Where a contiguous dataset lies; inside the file for sure.
  [[nodiscard]] Extent extent() const { return extent_; }
  /// A single unsigned number; nothing when there is no such attribute.
  [[nodiscard]] std::optional<std::uint64_t> number_attribute(const std::string& key) const;

 private:
  friend class File;
  Dataset(Handle handle, Type type, Place place, std::uint64_t file_bytes);
  void check_layout(std::uint64_t file_bytes);
  void check_filters(std::int64_t list);
  void check_stored(std::uint64_t file_bytes);

  Handle handle_;
  Type type_;
  Place place_;
  std::uint64_t rows_ = 0;
  Layout layout_ = Layout::contiguous;
  bool is_compressed_ = false;
  Extent extent_;
};

/// A file open for reading, not trusted: its root may hold only plain (hard) links, so nothing
/// leads out of it. DataError, in one line with the path, for everything that is wrong.
class File {
 public:
  explicit File(const std::filesystem::path& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const std::string& name) const;
  /// DataError when it is missing or not what Dataset promises.
  [[nodiscard]] Dataset dataset(const std::string& name) const;
  /// Attributes of the root; nothing when there is no such attribute.
  [[nodiscard]] std::optional<std::string> text_attribute(const std::string& key) const;
  [[nodiscard]] std::optional<std::vector<std::int32_t>> numbers_attribute(
      const std::string& key) const;

 private:
  void check_widths() const;
  void check_links();
  [[nodiscard]] Place place(const std::string& object) const { return {path_, object}; }

  std::string path_;
  std::uint64_t bytes_ = 0;
  Handle file_;
  std::vector<std::string> names_;
};

}  // namespace evd::h5
