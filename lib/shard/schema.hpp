#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shard/rows.hpp"

/// The tables as data, for what works on any of them: SQL, lists of columns.
namespace evd::shard {

/// What a column's values are. `choice` is a closed vocabulary, `name` an open one.
enum class ColumnKind : std::uint8_t {
  id,
  choice,
  flag,
  int32,
  int64,
  float32,
  float64,
  name,
  text,
  variable_text,
  blob
};

struct ColumnSchema {
  std::string_view name;
  ColumnInfo info;
  ColumnKind kind = ColumnKind::text;
  std::size_t hex_chars = 0;                    ///< of an id
  std::span<const std::string_view> choices{};  ///< of a choice, by value
};

struct TableSchema {
  std::string_view name;
  std::string_view grain;  ///< what one row is
  std::vector<ColumnSchema> columns;
};

/// The schema of a row type, as rows.hpp has it.
template <class Row>
[[nodiscard]] TableSchema schema_of();

}  // namespace evd::shard
