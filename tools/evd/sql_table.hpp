#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "problems.hpp"
#include "shard/column_values.hpp"

namespace evd::hands {

struct SqlColumn {
  std::string_view name;
  std::string_view type;  ///< TEXT, INTEGER, REAL or BLOB
  std::string_view unit;
  std::string_view meaning;
  bool is_hidden = false;  ///< no part of `*`: must be named
  bool is_id = false;      ///< looked up through an index
};

/// A set of columns by position; the last bit stands for itself and all behind it, as in SQLite.
using ColumnMask = std::uint64_t;
[[nodiscard]] constexpr bool has_column(ColumnMask mask, std::size_t column) {
  return (mask >> std::min<std::size_t>(column, 63) & 1U) != 0;
}

/// Rows of a table that lie together, such as those of one file.
class SqlPart {
 public:
  virtual ~SqlPart() = default;
  [[nodiscard]] virtual std::size_t rows() const = 0;
  /// Reads the columns of `used` that are not in memory yet. DataError or IoError.
  virtual void load(ColumnMask used) = 0;
  /// Columns that are in memory.
  [[nodiscard]] virtual ColumnMask loaded() const = 0;
  /// A loaded column's value. DataError when a picture is damaged.
  [[nodiscard]] virtual shard::Cell at(std::size_t column, std::size_t row) const = 0;
  /// Memory that it holds, and whether it keeps a file open.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
};

/// Where a row is: its part and its place in it; SQLite's rowid.
struct RowAddress {
  std::uint32_t part = 0;
  std::uint32_t row = 0;
  [[nodiscard]] std::int64_t rowid() const { return std::int64_t{part} << 32 | row; }
  static RowAddress of(std::int64_t rowid) {
    return {static_cast<std::uint32_t>(rowid >> 32), static_cast<std::uint32_t>(rowid)};
  }
};

/// A table as SQL sees it: parts that are opened one by one, of which only the columns asked for
/// are read. A part that is damaged is noted once and left out.
class SqlTable {
 public:
  using Open = std::function<std::unique_ptr<SqlPart>()>;

  SqlTable(std::string name, std::string grain, std::vector<SqlColumn> columns, Problems& problems)
      : name_(std::move(name)),
        grain_(std::move(grain)),
        columns_(std::move(columns)),
        problems_(&problems) {}

  void add_part(Open open, std::int64_t rows);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& grain() const { return grain_; }
  [[nodiscard]] const std::vector<SqlColumn>& columns() const { return columns_; }
  /// As the manifests say.
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::size_t parts() const { return parts_.size(); }

  /// A part with the columns of `used` loaded; nothing when it is damaged.
  [[nodiscard]] std::shared_ptr<const SqlPart> part(std::size_t index, ColumnMask used);
  /// Rows whose id column may hold `id`, in order: hashes are compared, so look at the value too.
  [[nodiscard]] std::vector<RowAddress> find(std::size_t column, std::string_view id);
  void note_problem(const std::string& line) { problems_->note(line); }

 private:
  struct Part {
    Open open;
    std::shared_ptr<SqlPart> content{};
    bool is_damaged = false;
  };
  struct Entry {
    std::uint64_t hash;
    RowAddress where;
  };
  using Index = std::vector<Entry>;
  void forget_oldest();
  [[nodiscard]] Index make_index(std::size_t column);

  std::string name_;
  std::string grain_;
  std::vector<SqlColumn> columns_;
  Problems* problems_;
  std::int64_t rows_ = 0;
  std::vector<Part> parts_;
  std::list<std::size_t> kept_;  // parts in memory, newest first
  std::map<std::size_t, Index> indices_;
};

}  // namespace evd::hands
