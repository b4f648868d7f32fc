#pragma once

#include "sql_table.hpp"

struct sqlite3;

namespace evd::hands {

/// Lets SQL on this connection read `table` by its name (an eponymous virtual table: nothing is
/// written into the schema). `table` must outlive the connection.
void register_table(sqlite3* connection, SqlTable& table);

}  // namespace evd::hands
