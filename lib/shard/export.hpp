#pragma once

#include <ostream>
#include <span>
#include <string>

#include "shard/rows.hpp"

namespace evd::shard {

/// The columns of a table without its blobs, as comma-separated values: one line of names, then one
/// a row; quoted as RFC 4180 says, ids as hex, enums and vocabularies by name, numbers so that they
/// read back equal, true and false. IoError when the stream fails.
template <class Row>
void write_csv(std::ostream& out, std::span<const Row> rows);

/// The same as JSON Lines: one object a row, valid UTF-8; numbers that are not finite are null.
template <class Row>
void write_jsonl(std::ostream& out, std::span<const Row> rows);

}  // namespace evd::shard
