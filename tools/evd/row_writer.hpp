#pragma once

#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "core/enum.hpp"
#include "shard/column_values.hpp"

namespace evd::hands {

/// How rows are written: aligned for a reader, or for a program.
enum class RowFormat : std::uint8_t { table, csv, jsonl };

/// Writes named columns row by row. IoError when the stream fails.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void row(std::span<const shard::Cell> cells) = 0;
  virtual void finish() = 0;
};

/// table: columns aligned, long texts cut, what a terminal would act on made visible.
/// csv:   a line of names; RFC 4180; nothing = empty; bytes as base64.
/// jsonl: one object a row; nothing and numbers that are not finite = null; bytes as base64.
///        UsageError when two columns have one name.
[[nodiscard]] std::unique_ptr<RowWriter> make_row_writer(RowFormat format, std::ostream& out,
                                                         const std::vector<std::string>& names);

}  // namespace evd::hands
