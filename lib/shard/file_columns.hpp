#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/read_file.hpp"
#include "h5/file.hpp"
#include "shard/table.hpp"

namespace evd::shard {

/// Bytes of all rows, one after another: row i is bytes offsets[i] to offsets[i + 1].
struct Ragged {
  h5::Extent extent;
  std::vector<std::uint64_t> offsets;
};

/// The texts of a ragged column.
struct Texts {
  std::string all;
  std::vector<std::uint64_t> offsets;
  [[nodiscard]] std::string_view at(std::size_t row) const {
    return std::string_view(all).substr(offsets[row], offsets[row + 1] - offsets[row]);
  }
};

/// An open vocabulary and which of its words each row has.
struct Vocabulary {
  std::vector<std::string> words;
  std::vector<std::int32_t> codes;  ///< each an index of `words`
};

/// Root attributes of a file of any table. DataError when one is missing.
[[nodiscard]] FileHeader read_header(const h5::File& file);

/// One file, column by column as they are stored: what Table makes rows of, and what SQL reads
/// directly. Opening checks magic, schema version and header; each call checks what it reads: type,
/// length, checksum, range, UTF-8. DataError in one line with path, dataset and what is wrong.
class FileColumns {
 public:
  /// `first_column` is a scalar in every table: it says how many rows there are.
  FileColumns(const std::filesystem::path& path, std::string_view table,
              std::string_view first_column);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  [[nodiscard]] const FileHeader& header() const { return header_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// True for a column that came with a later minor version than the file's.
  [[nodiscard]] bool is_absent(std::string_view column) const;

  /// A dataset of this type and, unless nothing, this length.
  [[nodiscard]] h5::Dataset open(const std::string& name, const h5::Type& type,
                                 std::optional<std::uint64_t> length) const;
  /// The words of an open vocabulary, not read yet.
  [[nodiscard]] h5::Dataset open_names(const std::string& column) const;

  template <class T>
  [[nodiscard]] std::vector<T> numbers(const std::string& name, const h5::Type& type,
                                       std::uint64_t length) const {
    const h5::Dataset dataset = open(name, type, length);
    std::vector<T> values(length);
    dataset.read(std::as_writable_bytes(std::span(values)));
    return values;
  }
  /// An enum or bool: each below `choices`.
  [[nodiscard]] std::vector<std::uint8_t> choices(const std::string& name, const h5::Type& type,
                                                  std::size_t choices) const;
  /// The lower-case hex characters of all ids, `hex_chars` a row.
  [[nodiscard]] std::string ids(const std::string& name, std::size_t hex_chars) const;
  [[nodiscard]] Vocabulary vocabulary(const std::string& name) const;
  [[nodiscard]] Texts texts(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> variable_texts(const std::string& name) const;
  /// Where the pictures lie, and the checksum of each.
  [[nodiscard]] Ragged ragged(const std::string& name) const;
  [[nodiscard]] std::vector<std::uint64_t> checksums(const std::string& name) const;
  /// One picture by pread, its checksum verified; thread-safe.
  [[nodiscard]] Blob blob(const Ragged& where, std::uint64_t checksum, std::size_t row) const;

  [[noreturn]] void refuse(std::string_view name, const std::string& why) const;
  [[noreturn]] void refuse(std::string_view name, std::size_t row, const std::string& why) const;

 private:
  void check_sum(const h5::Dataset& dataset, const std::string& name, std::string_view all) const;
  void check_utf8(std::string_view text, std::string_view name, std::size_t row) const;

  h5::File file_;
  fs::ReadFile raw_;
  FileHeader header_;
  bool is_older_ = false;  // than this build's minor version
  std::uint64_t rows_ = 0;
};

}  // namespace evd::shard
