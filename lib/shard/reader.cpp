#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/read_file.hpp"
#include "h5/file.hpp"
#include "h5/variable_text.hpp"
#include "shard/columns.hpp"
#include "shard/format.hpp"
#include "shard/instances.hpp"
#include "shard/storage.hpp"
#include "shard/table.hpp"

namespace evd::shard {
namespace {

// Ragged bytes: where they lie and where each row's begin.
struct Ragged {
  h5::Extent extent;
  std::vector<std::uint64_t> offsets;
};

std::string required_text(const h5::File& file, const std::string& key) {
  auto text = file.text_attribute(key);
  if (!text) throw DataError(file.path() + ": root attribute " + key + " is missing");
  return *std::move(text);
}

// Checks what the file says it is; its minor version.
std::int32_t check_schema(const h5::File& file, std::string_view table) {
  if (required_text(file, "schema") != format::kSchema)
    throw DataError(file.path() + ": not an EvolveDirector file (its schema has another name)");
  const auto version = file.numbers_attribute("version");
  if (!version || version->size() != 2)
    throw DataError(file.path() + ": root attribute version is missing or not two numbers");
  if ((*version)[0] != format::kMajor)
    throw DataError(
        file.path() + ": format " + std::to_string((*version)[0]) + "." +
        std::to_string((*version)[1]) + " (this build reads " + std::to_string(format::kMajor) +
        ".x) use the evolvedirector that wrote it: " + required_text(file, "writer").substr(0, 64));
  const std::string found = required_text(file, "table");
  if (found != table)
    throw DataError(file.path() + ": holds the table " + found.substr(0, 64) + ", expected " +
                    std::string(table));
  return (*version)[1];
}

FileHeader read_header(const h5::File& file) {
  FileHeader header;
  header.campaign = required_text(file, "campaign");
  header.stage = required_text(file, "stage");
  header.created = required_text(file, "created");
  header.writer = required_text(file, "writer");
  const auto round = file.numbers_attribute("round");
  if (!round || round->size() != 1)
    throw DataError(file.path() + ": root attribute round is missing or not one number");
  header.round = round->front();
  return header;
}

}  // namespace

template <class Row>
struct Table<Row>::State {
  explicit State(const std::filesystem::path& path) : file(path), raw(path) {
    is_older = check_schema(file, table_name<Row>()) < format::kMinor;
    header = read_header(file);
    bool first = true;
    for_each_column<Row>([&](const auto& column) {
      // The first column is a scalar in every table: it says how many rows there are.
      if (std::exchange(first, false)) rows = file.dataset(std::string(column.name)).rows();
      if (rows > format::kMostRows) refuse(column.name, "more rows than a file may have");
      if (!is_absent(column.name)) check(column);
    });
  }

  // A column that came with a later version than the file's: its rows keep their defaults.
  [[nodiscard]] bool is_absent(std::string_view column) const {
    return is_older && !file.has(std::string(column));
  }

  // Opens what a column consists of and compares types and lengths.
  template <class T>
  void check(const Column<Row, T>& column) {
    const std::string name(column.name);
    if constexpr (kIsBlob<T>) {
      blobs = ragged(name);
      sums = numbers<std::uint64_t>(format::beside(name, format::kXxh3), h5::Type::u64(), rows);
    } else if constexpr (kIsText<T>) {
      if (format::is_variable_text(table_name<Row>(), column.name)) {
        open(name, h5::Type::utf8_variable(), rows);
      } else {
        open(name, h5::Type::u8(), std::nullopt);
        open(format::beside(name, format::kOffsets), h5::Type::u64(), rows + 1);
      }
    } else if constexpr (kIsName<T>) {
      open(name, h5::Type::i32(), rows);
      open_names(name);
    } else {
      open(name, storage_type<T>(), rows);
    }
  }

  h5::Dataset open(const std::string& name, const h5::Type& type,
                   std::optional<std::uint64_t> length) const {
    h5::Dataset dataset = file.dataset(name);
    if (!(dataset.type() == type))
      refuse(name, "its type is " + dataset.type().describe() + ", expected " + type.describe());
    if (length && dataset.rows() != *length)
      refuse(name,
             std::to_string(dataset.rows()) + " elements, expected " + std::to_string(*length));
    return dataset;
  }

  h5::Dataset open_names(const std::string& column) const {
    const std::string name = format::beside(column, format::kNames);
    h5::Dataset dataset = file.dataset(name);
    const auto bytes = dataset.type().fixed_text_bytes();
    if (!bytes || *bytes > format::kMostNameBytes || dataset.rows() > format::kMostNames)
      refuse(name, "its type is " + dataset.type().describe() + ", expected short UTF-8 texts");
    return dataset;
  }

  template <class T>
  std::vector<T> numbers(const std::string& name, const h5::Type& type,
                         std::uint64_t length) const {
    const h5::Dataset dataset = open(name, type, length);
    std::vector<T> values(length);
    dataset.read(std::as_writable_bytes(std::span(values)));
    return values;
  }

  Ragged ragged(const std::string& name) const {
    const h5::Dataset dataset = open(name, h5::Type::u8(), std::nullopt);
    if (dataset.layout() != h5::Layout::contiguous) refuse(name, "not contiguous");
    const std::string beside = format::beside(name, format::kOffsets);
    Ragged bytes{dataset.extent(), numbers<std::uint64_t>(beside, h5::Type::u64(), rows + 1)};
    const auto& offsets = bytes.offsets;
    if (offsets.front() != 0 || offsets.back() != dataset.rows() ||
        !std::is_sorted(offsets.begin(), offsets.end()))
      refuse(beside, "offsets do not rise from 0 to the number of bytes");
    return bytes;
  }

  template <class T>
  void read(const Column<Row, T>& column, std::vector<Row>& out) const {
    const std::string name(column.name);
    if (is_absent(name)) return;
    if constexpr (kIsBlob<T>) {
    } else if constexpr (kIsText<T>) {
      if (format::is_variable_text(table_name<Row>(), column.name))
        read_variable(column, name, out);
      else
        read_texts(column, name, out);
    } else if constexpr (kIsName<T>) {
      read_names(column, name, out);
    } else if constexpr (kIsHexId<T>) {
      read_ids(column, name, out);
    } else {
      const auto values = numbers<Stored<T>>(name, storage_type<T>(), rows);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if constexpr (!kIsNumber<T>)
          if (values[i] >= stored_choices<T>())
            refuse(name, i, "value " + std::to_string(values[i]) + " is none of its enum");
        column.of(out[i]) = static_cast<T>(values[i]);
      }
    }
  }

  template <class T>
  void read_ids(const Column<Row, T>& column, const std::string& name,
                std::vector<Row>& out) const {
    const auto hex = numbers<std::array<char, T::kHexChars>>(name, storage_type<T>(), rows);
    for (std::size_t i = 0; i < hex.size(); ++i) {
      try {
        column.of(out[i]) = T::parse({hex[i].data(), hex[i].size()});
      } catch (const DataError& error) {
        refuse(name, i, error.what());
      }
    }
  }

  void read_names(const Column<Row, Name>& column, const std::string& name,
                  std::vector<Row>& out) const {
    const h5::Dataset dataset = open_names(name);
    const std::size_t width = dataset.type().bytes();
    std::string padded(width * dataset.rows(), '\0');
    dataset.read(std::as_writable_bytes(std::span(padded)));
    std::vector<std::string> words(dataset.rows());
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string_view word(&padded[i * width], width);
      words[i] = word.substr(0, word.find_last_not_of('\0') + 1);
      check_utf8(words[i], format::beside(name, format::kNames), i);
    }
    const auto codes = numbers<std::int32_t>(name, h5::Type::i32(), rows);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] < 0 || static_cast<std::size_t>(codes[i]) >= words.size())
        refuse(name, i, "index " + std::to_string(codes[i]) + " is none of its names");
      column.of(out[i]).text = words[static_cast<std::size_t>(codes[i])];
    }
  }

  void read_variable(const Column<Row, std::string>& column, const std::string& name,
                     std::vector<Row>& out) const {
    const h5::Dataset dataset = open(name, h5::Type::utf8_variable(), rows);
    auto texts = h5::read_variable_texts(
        dataset, raw.size(),
        [&](std::uint64_t offset, std::span<std::byte> bytes) { raw.read_at(offset, bytes); });
    std::string all;
    for (const auto& text : texts) all.append(text.c_str(), text.size() + 1);
    check_sum(dataset, name, all);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      check_utf8(texts[i], name, i);
      column.of(out[i]) = std::move(texts[i]);
    }
  }

  void read_texts(const Column<Row, std::string>& column, const std::string& name,
                  std::vector<Row>& out) const {
    const Ragged bytes = ragged(name);
    std::string all(bytes.extent.bytes, '\0');
    raw.read_at(bytes.extent.offset, std::as_writable_bytes(std::span(all)));
    check_sum(file.dataset(name), name, all);
    for (std::size_t i = 0; i < rows; ++i) {
      auto& text = column.of(out[i]);
      text = all.substr(bytes.offsets[i], bytes.offsets[i + 1] - bytes.offsets[i]);
      check_utf8(text, name, i);
    }
  }

  void check_sum(const h5::Dataset& dataset, const std::string& name, std::string_view all) const {
    const auto expected = dataset.number_attribute(format::kChecksum);
    if (!expected) refuse(name, "its attribute xxh3 is missing");
    if (xxh3_64(as_bytes(all)) != *expected)
      refuse(name, "checksum of its texts is wrong (the file is damaged)");
  }

  void check_utf8(std::string_view text, std::string_view name, std::size_t row) const {
    if (!is_utf8(text)) refuse(name, row, "not UTF-8");
  }

  [[noreturn]] void refuse(std::string_view name, const std::string& why) const {
    throw DataError(file.path() + ": /" + std::string(name) + ": " + why);
  }
  [[noreturn]] void refuse(std::string_view name, std::size_t row, const std::string& why) const {
    refuse(name, "row " + std::to_string(row) + ": " + why);
  }

  h5::File file;
  fs::ReadFile raw;
  FileHeader header;
  bool is_older = false;  // than this build's minor version
  std::uint64_t rows = 0;
  std::optional<Ragged> blobs;
  std::vector<std::uint64_t> sums;
};

template <class Row>
Table<Row>::Table(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
template <class Row>
Table<Row>::~Table() = default;
template <class Row>
Table<Row>::Table(Table&&) noexcept = default;
template <class Row>
Table<Row>& Table<Row>::operator=(Table&&) noexcept = default;

template <class Row>
const FileHeader& Table<Row>::header() const {
  return state_->header;
}

template <class Row>
std::int64_t Table<Row>::rows() const {
  return static_cast<std::int64_t>(state_->rows);
}

template <class Row>
std::vector<Row> Table<Row>::read() const {
  std::vector<Row> rows(state_->rows);
  for_each_column<Row>([&](const auto& column) { state_->read(column, rows); });
  return rows;
}

template <class Row>
std::vector<Row> Table<Row>::read(std::span<const std::string_view> only) const {
  std::vector<Row> rows(state_->rows);
  for_each_column<Row>([&](const auto& column) {
    if (std::find(only.begin(), only.end(), column.name) != only.end()) state_->read(column, rows);
  });
  return rows;
}

template <class Row>
Blob Table<Row>::blob(std::int64_t row) const {
  if (!state_->blobs || row < 0 || row >= rows())
    throw InternalError(state_->file.path() + ": no bytes of row " + std::to_string(row));
  const auto at = static_cast<std::size_t>(row);
  const auto& [extent, offsets] = *state_->blobs;
  Blob bytes(offsets[at + 1] - offsets[at]);
  state_->raw.read_at(extent.offset + offsets[at], bytes);
  if (xxh3_64(bytes) != state_->sums[at])
    throw DataError(state_->file.path() + ": row " + std::to_string(row) +
                    ": checksum of its bytes is wrong (the file is damaged)");
  return bytes;
}

#define EVD_INSTANCE(Row) template class Table<Row>;
EVD_SHARD_ROWS(EVD_INSTANCE)
#undef EVD_INSTANCE

}  // namespace evd::shard
