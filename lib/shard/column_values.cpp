#include "shard/column_values.hpp"

#include <type_traits>

#include "core/error.hpp"
#include "shard/storage.hpp"

namespace evd::shard {
namespace {

template <class T>
std::size_t bytes_of(const std::vector<T>& values) {
  return values.size() * sizeof(T);
}

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = texts.size() * sizeof(std::string);
  for (const auto& text : texts) bytes += text.capacity();
  return bytes;
}

}  // namespace

ColumnValues::ColumnValues(const FileColumns& file, const ColumnSchema& column)
    : values_(read(file, column)) {}

ColumnValues::Values ColumnValues::read(const FileColumns& file, const ColumnSchema& column) {
  const std::string name(column.name);
  if (file.is_absent(name)) return std::monostate{};
  const auto numbers = [&]<class T>(T) {
    return file.numbers<T>(name, storage_type<T>(), file.rows());
  };
  switch (column.kind) {
    case ColumnKind::id:
      return Ids{file.ids(name, column.hex_chars), column.hex_chars};
    case ColumnKind::choice:
      return Choices{
          file.choices(name, h5::Type::enumeration(column.choices), column.choices.size()),
          column.choices};
    case ColumnKind::flag:
      return file.choices(name, storage_type<bool>(), 2);
    case ColumnKind::int32:
      return numbers(std::int32_t{});
    case ColumnKind::int64:
      return numbers(std::int64_t{});
    case ColumnKind::float32:
      return numbers(float{});
    case ColumnKind::float64:
      return numbers(double{});
    case ColumnKind::name:
      return file.vocabulary(name);
    case ColumnKind::text:
      return file.texts(name);
    case ColumnKind::variable_text:
      return file.variable_texts(name);
    case ColumnKind::blob:
      return Blobs{&file, file.ragged(name), file.checksums(name)};
  }
  throw InternalError("no such kind of column");
}

Cell ColumnValues::at(std::size_t row) const {
  return std::visit(
      [row]<class V>(const V& values) -> Cell {
        if constexpr (std::is_same_v<V, std::monostate>)
          return {};
        else if constexpr (std::is_same_v<V, Ids>)
          return std::string_view(values.hex).substr(row * values.hex_chars, values.hex_chars);
        else if constexpr (std::is_same_v<V, Choices>)
          return values.words[values.codes[row]];
        else if constexpr (std::is_same_v<V, Vocabulary>)
          return std::string_view(values.words[static_cast<std::size_t>(values.codes[row])]);
        else if constexpr (std::is_same_v<V, Texts>)
          return values.at(row);
        else if constexpr (std::is_same_v<V, Blobs>)
          return values.file->blob(values.where, values.checksums[row], row);
        else if constexpr (std::is_same_v<V, std::vector<std::string>>)
          return std::string_view(values[row]);
        else if constexpr (std::is_floating_point_v<typename V::value_type>)
          return static_cast<double>(values[row]);
        else
          return static_cast<std::int64_t>(values[row]);
      },
      values_);
}

std::size_t ColumnValues::bytes() const {
  return std::visit(
      []<class V>(const V& values) -> std::size_t {
        if constexpr (std::is_same_v<V, std::monostate>)
          return 0;
        else if constexpr (std::is_same_v<V, Ids>)
          return values.hex.size();
        else if constexpr (std::is_same_v<V, Choices>)
          return values.codes.size();
        else if constexpr (std::is_same_v<V, Vocabulary>)
          return bytes_of(values.words) + bytes_of(values.codes);
        else if constexpr (std::is_same_v<V, Texts>)
          return values.all.size() + bytes_of(values.offsets);
        else if constexpr (std::is_same_v<V, Blobs>)
          return bytes_of(values.where.offsets) + bytes_of(values.checksums);
        else
          return bytes_of(values);
      },
      values_);
}

}  // namespace evd::shard
