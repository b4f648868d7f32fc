#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "shard/column_values.hpp"
#include "sql_table.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace evd::hands {

/// An SQLite connection that can read the tables given to it and nothing else: in memory, no
/// ATTACH, no extensions, no PRAGMA, no writing; "double quotes" name columns, never texts.
class SqlDatabase {
 public:
  /// The tables must outlive the database.
  explicit SqlDatabase(std::deque<SqlTable>& tables);
  ~SqlDatabase();
  SqlDatabase(const SqlDatabase&) = delete;
  SqlDatabase& operator=(const SqlDatabase&) = delete;

  /// The rows of one query; the database must outlive them. Texts of a row live until the next
  /// step.
  class Rows {
   public:
    ~Rows();
    Rows(Rows&&) noexcept;
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    /// The next row; false behind the last one. UsageError when SQL fails at run time.
    [[nodiscard]] bool step();
    [[nodiscard]] shard::Cell at(std::size_t column) const;

   private:
    friend class SqlDatabase;
    struct Close {
      void operator()(sqlite3_stmt* statement) const;
    };
    Rows(const SqlDatabase& database, sqlite3_stmt* statement);
    const SqlDatabase* database_;
    std::unique_ptr<sqlite3_stmt, Close> statement_;
    std::vector<std::string> names_;
  };

  /// UsageError that says where `sql` is wrong, with the nearest known name, or that it is more
  /// than one query, or that it would write.
  /// `before`: bytes of it that the user did not write, which places in messages leave out.
  [[nodiscard]] Rows query(const std::string& sql, std::size_t before = 0) const;

 private:
  [[noreturn]] void fail(const std::string& sql, std::size_t before = 0) const;
  [[nodiscard]] std::string nearest_name(const std::string& problem) const;

  struct Close {
    void operator()(sqlite3* connection) const;
  };
  std::unique_ptr<sqlite3, Close> connection_;
  std::vector<const SqlTable*> tables_;
};

}  // namespace evd::hands
