#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "shard/columns.hpp"
#include "shard/file_columns.hpp"
#include "shard/format.hpp"
#include "shard/instances.hpp"
#include "shard/storage.hpp"
#include "shard/table.hpp"

namespace evd::shard {
namespace {

// The first column is a scalar in every table.
template <class Row>
std::string_view first_column() {
  std::string_view name;
  for_each_column<Row>([&](const auto& column) {
    if (name.empty()) name = column.name;
  });
  return name;
}

}  // namespace

template <class Row>
struct Table<Row>::State {
  explicit State(const std::filesystem::path& path)
      : file(path, table_name<Row>(), first_column<Row>()) {
    for_each_column<Row>([&](const auto& column) {
      // A column that came with a later version than the file's: its rows keep their defaults.
      if (!file.is_absent(column.name)) check(column);
    });
  }

  // Opens what a column consists of and compares types and lengths.
  template <class T>
  void check(const Column<Row, T>& column) {
    const std::string name(column.name);
    const std::uint64_t rows = file.rows();
    if constexpr (kIsBlob<T>) {
      blobs = file.ragged(name);
      sums = file.checksums(name);
    } else if constexpr (kIsText<T>) {
      if (format::is_variable_text(table_name<Row>(), column.name)) {
        static_cast<void>(file.open(name, h5::Type::utf8_variable(), rows));
      } else {
        static_cast<void>(file.open(name, h5::Type::u8(), std::nullopt));
        static_cast<void>(
            file.open(format::beside(name, format::kOffsets), h5::Type::u64(), rows + 1));
      }
    } else if constexpr (kIsName<T>) {
      static_cast<void>(file.open(name, h5::Type::i32(), rows));
      static_cast<void>(file.open_names(name));
    } else {
      static_cast<void>(file.open(name, storage_type<T>(), rows));
    }
  }

  template <class T>
  void read(const Column<Row, T>& column, std::vector<Row>& out) const {
    const std::string name(column.name);
    if (file.is_absent(name)) return;
    if constexpr (kIsBlob<T>) {
    } else if constexpr (kIsText<T>) {
      if (format::is_variable_text(table_name<Row>(), column.name)) {
        auto texts = file.variable_texts(name);
        for (std::size_t i = 0; i < out.size(); ++i) column.of(out[i]) = std::move(texts[i]);
      } else {
        const Texts texts = file.texts(name);
        for (std::size_t i = 0; i < out.size(); ++i) column.of(out[i]) = texts.at(i);
      }
    } else if constexpr (kIsName<T>) {
      const Vocabulary names = file.vocabulary(name);
      for (std::size_t i = 0; i < out.size(); ++i)
        column.of(out[i]).text = names.words[static_cast<std::size_t>(names.codes[i])];
    } else if constexpr (kIsHexId<T>) {
      const std::string hex = file.ids(name, T::kHexChars);
      for (std::size_t i = 0; i < out.size(); ++i)
        column.of(out[i]) = T::parse(std::string_view(hex).substr(i * T::kHexChars, T::kHexChars));
    } else if constexpr (kIsNumber<T>) {
      const auto values = file.numbers<T>(name, storage_type<T>(), file.rows());
      for (std::size_t i = 0; i < out.size(); ++i) column.of(out[i]) = values[i];
    } else {
      const auto values = file.choices(name, storage_type<T>(), stored_choices<T>());
      for (std::size_t i = 0; i < out.size(); ++i) column.of(out[i]) = static_cast<T>(values[i]);
    }
  }

  FileColumns file;
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
  return state_->file.header();
}

template <class Row>
std::int64_t Table<Row>::rows() const {
  return static_cast<std::int64_t>(state_->file.rows());
}

template <class Row>
std::vector<Row> Table<Row>::read() const {
  std::vector<Row> rows(state_->file.rows());
  for_each_column<Row>([&](const auto& column) { state_->read(column, rows); });
  return rows;
}

template <class Row>
std::vector<Row> Table<Row>::read(std::span<const std::string_view> only) const {
  std::vector<Row> rows(state_->file.rows());
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
  return state_->file.blob(*state_->blobs, state_->sums[at], at);
}

#define EVD_INSTANCE(Row) template class Table<Row>;
EVD_SHARD_ROWS(EVD_INSTANCE)
#undef EVD_INSTANCE

}  // namespace evd::shard
