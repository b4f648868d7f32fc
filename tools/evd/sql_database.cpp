#include "sql_database.hpp"

#include <array>
#include <cstring>
#include <set>

#include <sqlite3.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "sql_module.hpp"

namespace evd::hands {
namespace {

constexpr std::string_view kOnlyReads =
    "; a query only reads: SELECT, no INSERT, CREATE, ATTACH or PRAGMA";

// What a query may do. Everything that a later SQLite learns is refused.
int authorize(void*, int action, const char*, const char* name, const char*, const char*) noexcept {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return name != nullptr && std::strcmp(name, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

void require(int code, sqlite3* connection, const char* what) {
  if (code != SQLITE_OK)
    throw InternalError("SQLite: " + std::string(what) + ": " + sqlite3_errmsg(connection));
}

void harden(sqlite3* connection) {
  for (const int setting : {SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL,
                            SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION})
    require(sqlite3_db_config(connection, setting, 0, nullptr), connection, "sqlite3_db_config");
  require(sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr), connection,
          "sqlite3_db_config");
  sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0);
  // Sorting in memory up to 256 MiB, in temporary files beyond.
  require(sqlite3_exec(connection, "PRAGMA cache_size = -262144", nullptr, nullptr, nullptr),
          connection, "cache size");
}

// A table declares itself when it is first named, which the authorizer would refuse: name it now.
void connect_table(sqlite3* connection, SqlTable& table) {
  register_table(connection, table);
  const std::string sql = "SELECT 1 FROM " + table.name();
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr);
  sqlite3_finalize(statement);
  require(code, connection, sql.c_str());
}

// The name behind "no such column: " and its like; without the table before a dot.
std::string behind(const std::string& problem, std::string_view lead) {
  if (!problem.starts_with(lead)) return "";
  const std::string name = problem.substr(lead.size());
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

}  // namespace

void SqlDatabase::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
void SqlDatabase::Rows::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqlDatabase::SqlDatabase(std::deque<SqlTable>& tables) {
  sqlite3* connection = nullptr;
  const int code =
      sqlite3_open_v2(":memory:", &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(connection);
  require(code, connection, "sqlite3_open_v2");
  harden(connection);
  for (auto& table : tables) {
    connect_table(connection, table);
    tables_.push_back(&table);
  }
  require(sqlite3_set_authorizer(connection, authorize, nullptr), connection,
          "sqlite3_set_authorizer");
}

SqlDatabase::~SqlDatabase() = default;
SqlDatabase::Rows::~Rows() = default;
SqlDatabase::Rows::Rows(Rows&&) noexcept = default;

SqlDatabase::Rows SqlDatabase::query(const std::string& sql, std::size_t before) const {
  if (sql.find('\0') != std::string::npos) throw UsageError("SQL: holds a zero byte");
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.c_str(), -1, &statement, &rest);
  Rows rows(*this, statement);
  if (code != SQLITE_OK) fail(sql, before);
  if (statement == nullptr) throw UsageError("SQL: there is no query in it");
  sqlite3_stmt* second = nullptr;
  const int more = sqlite3_prepare_v2(connection_.get(), rest, -1, &second, nullptr);
  const bool is_alone = more == SQLITE_OK && second == nullptr;
  sqlite3_finalize(second);
  if (!is_alone) throw UsageError("SQL: more than one query (give one at a time)");
  if (sqlite3_stmt_readonly(statement) == 0)
    throw UsageError("SQL: not authorized" + std::string(kOnlyReads));
  return rows;
}

void SqlDatabase::fail(const std::string& sql, std::size_t before) const {
  const std::string problem = sqlite3_errmsg(connection_.get());
  if (sqlite3_errcode(connection_.get()) == SQLITE_NOMEM) throw std::bad_alloc();
  std::string text = "SQL: " + problem;
  if (const auto at =
          std::int64_t{sqlite3_error_offset(connection_.get())} - static_cast<std::int64_t>(before);
      at >= 0)
    text +=
        " (at character " +
        std::to_string(code_points(is_utf8(sql) ? sql.substr(before, static_cast<std::size_t>(at))
                                                : std::string()) +
                       1) +
        ")";
  if (problem.starts_with("not authorized") || problem.ends_with("may not be modified"))
    text += kOnlyReads;
  text += nearest_name(problem);
  const bool is_quoted = sql.find('"') != std::string::npos;
  if (const auto word = behind(problem, "no such column: ");
      !word.empty() && (is_quoted || sql.find("= " + word) != std::string::npos ||
                        sql.find("=" + word) != std::string::npos))
    text += "; a text stands in 'single quotes'";
  throw UsageError(text);
}

std::string SqlDatabase::nearest_name(const std::string& problem) const {
  std::set<std::string> known;
  const std::string table = behind(problem, "no such table: ");
  const std::string column = behind(problem, "no such column: ");
  if (table.empty() && column.empty()) return "";
  for (const SqlTable* one : tables_) {
    if (!table.empty()) known.insert(one->name());
    if (!column.empty())
      for (const auto& each : one->columns()) known.emplace(each.name);
  }
  const std::string& word = table.empty() ? column : table;
  known.erase(word);  // of a table that this query does not read
  const std::vector<std::string> candidates(known.begin(), known.end());
  // A name that was begun rightly comes before one of as few changes.
  const auto begun = std::find_if(candidates.begin(), candidates.end(), [&](const auto& name) {
    return word.size() >= 3 && name.starts_with(word);
  });
  const auto near = begun != candidates.end() ? std::optional(*begun) : nearest(word, candidates);
  return near ? "; did you mean " + *near + "?" : "";
}

SqlDatabase::Rows::Rows(const SqlDatabase& database, sqlite3_stmt* statement)
    : database_(&database), statement_(statement) {
  for (int i = 0; i < sqlite3_column_count(statement); ++i)
    names_.emplace_back(sqlite3_column_name(statement, i));
}

bool SqlDatabase::Rows::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->fail(sqlite3_sql(statement_.get()));
  return false;
}

shard::Cell SqlDatabase::Rows::at(std::size_t index) const {
  const int column = static_cast<int>(index);
  sqlite3_stmt* row = statement_.get();
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(row, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      return std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(row, column));
      return shard::Blob(bytes, bytes + sqlite3_column_bytes(row, column));
    }
    default:
      return {};
  }
}

}  // namespace evd::hands
