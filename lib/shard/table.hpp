#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"
#include "shard/rows.hpp"

namespace evd::shard {

/// Name of a row type's table, in HDF5 (root attribute `table`), SQL and CSV.
template <class Row>
[[nodiscard]] std::string_view table_name();

/// Root attributes of every file.
struct FileHeader {
  std::string campaign;    ///< CampaignId hex
  std::int32_t round = 0;  ///< -1 = start
  std::string stage;       ///< init, harvest, judge, train, evaluate, score
  std::string created;     ///< ISO 8601; "" = now; not part of any digest
  std::string writer;      ///< software and version; set by the writer
};

/// What publishing a file gave: what a manifest lists.
struct FileEntry {
  std::string name;   ///< relative to the stage directory
  std::string table;  ///< table name, or "" for a file that is no table (weights)
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  Sha256 sha256;   ///< of the file
  Sha256 content;  ///< content digest (volatile columns left out, rows sorted by id)
};

/// Builds the file in memory and publishes it whole. The only way a table is written.
/// IoError when the filesystem refuses, DataError when a text is not UTF-8; `path` is untouched
/// then.
template <class Row>
FileEntry write_table(const std::filesystem::path& path, const FileHeader& header,
                      std::span<const Row> rows);

/// Hardened reader of one file. Opening checks magic, schema version, shapes, offsets, enums and
/// links; DataError is one line with path, dataset and what is wrong. Blobs are read by pread and
/// checked against their xxh3 at each read.
template <class Row>
class Table {
 public:
  explicit Table(const std::filesystem::path& path);
  ~Table();
  Table(Table&&) noexcept;
  Table& operator=(Table&&) noexcept;

  [[nodiscard]] const FileHeader& header() const;
  [[nodiscard]] std::int64_t rows() const;
  /// All rows, blobs left empty.
  [[nodiscard]] std::vector<Row> read() const;
  /// As read(), but only the columns named in `only`; the others keep their defaults.
  [[nodiscard]] std::vector<Row> read(std::span<const std::string_view> only) const;
  /// The blob of one row (images.bytes), checksum verified; thread-safe. DataError if damaged.
  [[nodiscard]] Blob blob(std::int64_t row) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All rows of a file, blobs left empty.
template <class Row>
[[nodiscard]] std::vector<Row> read_table(const std::filesystem::path& path) {
  return Table<Row>(path).read();
}

/// Content digest of rows: sorted by their id columns, volatile columns left out, pictures by their
/// sha256 column (so rows read back without bytes have the same digest).
template <class Row>
[[nodiscard]] Sha256 content_digest(std::span<const Row> rows);

}  // namespace evd::shard
