#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "shard/file_columns.hpp"
#include "shard/schema.hpp"
#include "sql_table.hpp"

namespace evd::hands {

/// A value that is kept.
using OwnedCell = std::variant<std::int64_t, double, std::string>;

/// The rows of one published file, with columns behind its own that are the same for all of them.
class FilePart final : public SqlPart {
 public:
  /// DataError when the file is not of `campaign` (hex).
  FilePart(std::filesystem::path path, const shard::TableSchema& schema, std::string campaign,
           std::vector<OwnedCell> same);

  [[nodiscard]] std::size_t rows() const override { return *rows_; }
  void load(ColumnMask used) override;
  [[nodiscard]] ColumnMask loaded() const override { return loaded_; }
  [[nodiscard]] shard::Cell at(std::size_t column, std::size_t row) const override;
  [[nodiscard]] std::size_t bytes() const override;
  [[nodiscard]] bool is_open() const override { return file_ != nullptr; }

 private:
  void open();

  std::filesystem::path path_;
  const shard::TableSchema& schema_;
  std::string campaign_;
  std::vector<OwnedCell> same_;
  std::optional<std::size_t> rows_;
  std::unique_ptr<const shard::FileColumns> file_;
  std::vector<std::unique_ptr<const shard::ColumnValues>> columns_;
  ColumnMask loaded_ = 0;
  bool has_blobs_ = false;
};

/// Rows that are in memory anyway.
class MemoryPart final : public SqlPart {
 public:
  explicit MemoryPart(std::vector<std::vector<OwnedCell>> rows) : rows_(std::move(rows)) {}

  [[nodiscard]] std::size_t rows() const override { return rows_.size(); }
  void load(ColumnMask) override {}
  [[nodiscard]] ColumnMask loaded() const override { return ~ColumnMask{0}; }
  [[nodiscard]] shard::Cell at(std::size_t column, std::size_t row) const override;
  [[nodiscard]] std::size_t bytes() const override { return 0; }
  [[nodiscard]] bool is_open() const override { return false; }

 private:
  std::vector<std::vector<OwnedCell>> rows_;
};

}  // namespace evd::hands
