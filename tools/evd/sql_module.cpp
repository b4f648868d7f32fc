#include "sql_module.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include <sqlite3.h>

#include "core/error.hpp"

// The callbacks of a virtual table (sqlite.org/vtab.html). Exceptions end here: none crosses C.
namespace evd::hands {
namespace {

struct TableHandle : sqlite3_vtab {
  SqlTable* table = nullptr;
};

// A scan of all parts, or a walk along the addresses that an index gave.
struct Cursor : sqlite3_vtab_cursor {
  SqlTable* table = nullptr;
  ColumnMask used = 0;
  bool is_lookup = false;
  std::vector<RowAddress> found;
  std::size_t next_found = 0;
  std::size_t part_index = 0;
  std::shared_ptr<const SqlPart> part;
  std::size_t row = 0;
  bool at_end = true;

  void open_part(std::size_t index) {
    part_index = index;
    part = table->part(index, used);
  }
  // From the row before to the next one, over parts that are damaged or empty.
  void scan() {
    while (!part || row >= part->rows()) {
      if (part_index + 1 >= table->parts()) {
        at_end = true;
        part.reset();
        return;
      }
      open_part(part_index + 1);
      row = 0;
    }
  }
  void follow() {
    for (; next_found < found.size(); ++next_found) {
      const RowAddress where = found[next_found];
      if (!part || where.part != part_index) open_part(where.part);
      if (!part) continue;
      row = where.row;
      ++next_found;
      return;
    }
    at_end = true;
  }
  void begin() {
    at_end = !is_lookup && table->parts() == 0;
    if (at_end) return;
    row = next_found = 0;
    if (is_lookup) return follow();
    open_part(0);
    scan();
  }
};

template <class Act>
int guarded(sqlite3_vtab* handle, Act act) noexcept {
  try {
    act();
    return SQLITE_OK;
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (const std::exception& error) {
    sqlite3_free(handle->zErrMsg);
    handle->zErrMsg = sqlite3_mprintf("%s", error.what());
    return SQLITE_ERROR;
  }
}

std::string declaration(const SqlTable& table) {
  std::string text = "CREATE TABLE t(";
  const char* separator = "";
  for (const auto& column : table.columns()) {
    text += separator + ("\"" + std::string(column.name) + "\" ") + std::string(column.type) +
            (column.is_hidden ? " HIDDEN" : "");
    separator = ", ";
  }
  return text + ")";
}

int connect(sqlite3* connection, void* table, int, const char* const*, sqlite3_vtab** out,
            char** error) noexcept {
  try {
    auto handle = std::make_unique<TableHandle>();
    handle->table = static_cast<SqlTable*>(table);
    const int code = sqlite3_declare_vtab(connection, declaration(*handle->table).c_str());
    if (code == SQLITE_OK)
      *out = handle.release();
    else
      *error = sqlite3_mprintf("%s", sqlite3_errmsg(connection));
    return code;
  } catch (const std::exception& problem) {
    *error = sqlite3_mprintf("%s", problem.what());
    return SQLITE_ERROR;
  }
}

int disconnect(sqlite3_vtab* handle) noexcept {
  delete static_cast<TableHandle*>(handle);
  return SQLITE_OK;
}

// The constraint `id column = value` to look up by, the column `id` first; -1 = none.
int best_lookup(const SqlTable& table, sqlite3_index_info* info) {
  int best = -1;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    if (constraint.usable == 0 || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ ||
        constraint.iColumn < 0)
      continue;
    const auto& column = table.columns()[static_cast<std::size_t>(constraint.iColumn)];
    if (!column.is_id || std::strcmp(sqlite3_vtab_collation(info, i), "BINARY") != 0) continue;
    if (column.name == "id") return i;
    best = i;
  }
  return best;
}

// Plans: 0 = scan, column + 1 = look up in the index of that column. The columns that are asked for
// travel in idxStr.
int best_index(sqlite3_vtab* handle, sqlite3_index_info* info) noexcept {
  const SqlTable& table = *static_cast<TableHandle*>(handle)->table;
  const int lookup = best_lookup(table, info);
  if (lookup < 0) {
    info->idxNum = 0;
    info->estimatedRows = std::max<std::int64_t>(table.rows(), 1);
    info->estimatedCost = 2 * static_cast<double>(info->estimatedRows);
  } else {
    const int column = info->aConstraint[lookup].iColumn;
    info->idxNum = column + 1;
    info->aConstraintUsage[lookup].argvIndex = 1;
    // SQLite compares again (omit = 0), so a hash may find too much.
    info->estimatedRows = table.columns()[static_cast<std::size_t>(column)].name == "id" ? 1 : 8;
    info->estimatedCost = 10 + static_cast<double>(info->estimatedRows);
  }
  info->idxStr = sqlite3_mprintf("%llx", static_cast<sqlite3_uint64>(info->colUsed));
  info->needToFreeIdxStr = 1;
  return info->idxStr == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int open(sqlite3_vtab* handle, sqlite3_vtab_cursor** out) noexcept {
  return guarded(handle, [&] {
    auto cursor = std::make_unique<Cursor>();
    cursor->table = static_cast<TableHandle*>(handle)->table;
    *out = cursor.release();
  });
}

int close(sqlite3_vtab_cursor* cursor) noexcept {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int plan, const char* used, int,
           sqlite3_value** values) noexcept {
  auto& cursor = *static_cast<Cursor*>(base);
  return guarded(base->pVtab, [&] {
    std::from_chars(used, used + std::strlen(used), cursor.used, 16);
    // An id is a text: whatever else it is compared with is no reason to use the index.
    cursor.is_lookup = plan != 0 && sqlite3_value_type(values[0]) == SQLITE_TEXT;
    if (cursor.is_lookup) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
      const auto bytes = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
      cursor.found = cursor.table->find(static_cast<std::size_t>(plan - 1), {text, bytes});
    }
    cursor.begin();
  });
}

int next(sqlite3_vtab_cursor* base) noexcept {
  auto& cursor = *static_cast<Cursor*>(base);
  return guarded(base->pVtab, [&] {
    if (cursor.is_lookup) {
      cursor.follow();
    } else {
      ++cursor.row;
      cursor.scan();
    }
  });
}

int eof(sqlite3_vtab_cursor* cursor) noexcept {
  return static_cast<Cursor*>(cursor)->at_end ? 1 : 0;
}

// Copies, always: SQLite may keep a value for longer than the part lives.
void give(sqlite3_context* context, const shard::Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell))
    sqlite3_result_int64(context, *integer);
  else if (const auto* real = std::get_if<double>(&cell))
    sqlite3_result_double(context, *real);
  else if (const auto* text = std::get_if<std::string_view>(&cell))
    sqlite3_result_text64(context, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  else if (const auto* bytes = std::get_if<shard::Blob>(&cell); bytes && bytes->empty())
    sqlite3_result_zeroblob(context, 0);
  else if (bytes)
    sqlite3_result_blob64(context, bytes->data(), bytes->size(), SQLITE_TRANSIENT);
  else
    sqlite3_result_null(context);
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) noexcept {
  const auto& cursor = *static_cast<Cursor*>(base);
  return guarded(base->pVtab, [&] {
    try {
      give(context, cursor.part->at(static_cast<std::size_t>(index), cursor.row));
    } catch (const DataError& error) {
      cursor.table->note_problem(error.what());
      sqlite3_result_null(context);
    }
  });
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) noexcept {
  const auto& cursor = *static_cast<Cursor*>(base);
  *out = RowAddress{static_cast<std::uint32_t>(cursor.part_index),
                    static_cast<std::uint32_t>(cursor.row)}
             .rowid();
  return SQLITE_OK;
}

// No xCreate: the table is there under the module's name. No xUpdate: it cannot be written.
constexpr sqlite3_module kModule = [] {
  sqlite3_module module{};
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}();

}  // namespace

void register_table(sqlite3* connection, SqlTable& table) {
  if (sqlite3_create_module_v2(connection, table.name().c_str(), &kModule, &table, nullptr) !=
      SQLITE_OK)
    throw InternalError("SQLite: " + std::string(sqlite3_errmsg(connection)));
}

}  // namespace evd::hands
