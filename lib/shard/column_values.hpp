#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shard/file_columns.hpp"
#include "shard/schema.hpp"

namespace evd::shard {

/// A value outside C++: nothing, a number, a text that lives as long as what gave it, or bytes.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string_view, Blob>;

/// One column of one file in memory, compact: numbers as they are stored, ids as hex, words once.
/// Pictures stay in the file until they are asked for.
class ColumnValues {
 public:
  /// Reads and checks; DataError as FileColumns says. `file` must outlive it. A column that the
  /// file is too old for has no values.
  ColumnValues(const FileColumns& file, const ColumnSchema& column);

  /// DataError when a picture is damaged.
  [[nodiscard]] Cell at(std::size_t row) const;
  /// Memory that it holds.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Ids {
    std::string hex;
    std::size_t hex_chars;
  };
  struct Choices {
    std::vector<std::uint8_t> codes;
    std::span<const std::string_view> words;
  };
  struct Blobs {
    const FileColumns* file;
    Ragged where;
    std::vector<std::uint64_t> checksums;
  };
  using Values =
      std::variant<std::monostate, Ids, Choices, std::vector<std::uint8_t>,
                   std::vector<std::int32_t>, std::vector<std::int64_t>, std::vector<float>,
                   std::vector<double>, Vocabulary, Texts, std::vector<std::string>, Blobs>;
  static Values read(const FileColumns& file, const ColumnSchema& column);

  Values values_;
};

}  // namespace evd::shard
