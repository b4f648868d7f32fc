#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "shard/rows.hpp"

/// One column of a row type at a time: what writer, reader, digest and export are made of.
namespace evd::shard {

template <class T>
struct IsHexId : std::false_type {};
template <class Tag, std::size_t Bytes>
struct IsHexId<HexId<Tag, Bytes>> : std::true_type {};

template <class T>
inline constexpr bool kIsHexId = IsHexId<T>::value;
template <class T>
inline constexpr bool kIsName = std::is_same_v<T, Name>;
template <class T>
inline constexpr bool kIsText = std::is_same_v<T, std::string>;
template <class T>
inline constexpr bool kIsBlob = std::is_same_v<T, Blob>;
template <class T>
inline constexpr bool kIsBool = std::is_same_v<T, bool>;
/// int32, int64, float, double: stored as they are.
template <class T>
inline constexpr bool kIsNumber = std::is_arithmetic_v<T> && !kIsBool<T>;

/// Where a column's values stand in a row.
template <class Row, class T>
struct Column {
  using Value = T;
  std::string_view name;
  ColumnInfo info;
  std::ptrdiff_t offset;

  [[nodiscard]] const T& of(const Row& row) const {
    return *reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(&row) + offset);
  }
  [[nodiscard]] T& of(Row& row) const {
    return *reinterpret_cast<T*>(reinterpret_cast<std::byte*>(&row) + offset);
  }
};

/// What `Row::columns` is called with to make a Column of each member.
template <class Row, class Visit>
struct ColumnWalk {
  Row* row;
  Visit* visit;
  template <class T>
  void operator()(std::string_view name, T& member, const ColumnInfo& info) {
    const auto offset = reinterpret_cast<std::byte*>(&member) - reinterpret_cast<std::byte*>(row);
    (*visit)(Column<Row, T>{name, info, offset});
  }
};

/// Calls `visit(Column<Row, T>)` for each column, in file order.
template <class Row, class Visit>
void for_each_column(Visit&& visit) {
  Row prototype;
  ColumnWalk<Row, std::remove_reference_t<Visit>> walk{&prototype, &visit};
  prototype.columns(walk);
}

/// What `Row::columns` is called with to show the values of a row.
template <class Visit>
struct ValueWalk {
  Visit* visit;
  template <class T>
  void operator()(std::string_view name, const T& member, const ColumnInfo& info) {
    (*visit)(name, member, info);
  }
};

/// Calls `visit(name, value, info)` for each column of one row, in file order.
template <class Row, class Visit>
void for_each_value(const Row& row, Visit&& visit) {
  ValueWalk<std::remove_reference_t<Visit>> walk{&visit};
  // `columns` serves readers and writers alike, so it is not const; this visitor changes nothing.
  const_cast<Row&>(row).columns(walk);
}

}  // namespace evd::shard
