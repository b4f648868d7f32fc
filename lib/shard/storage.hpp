#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "h5/type.hpp"
#include "shard/columns.hpp"

/// How a member's type is stored: one answer for writer, reader and FORMAT.md.
namespace evd::shard {

/// bool and enums are stored as uint8, numbers as they are.
template <class T>
struct StoredAs {
  using type = T;
};
template <>
struct StoredAs<bool> {
  using type = std::uint8_t;
};
template <NamedEnum T>
struct StoredAs<T> {
  using type = std::uint8_t;
};
template <class T>
using Stored = typename StoredAs<T>::type;

template <class T>
[[nodiscard]] Stored<T> to_stored(const T& value) {
  return static_cast<Stored<T>>(value);
}

/// How many values the stored uint8 of a bool or enum may have.
template <class T>
[[nodiscard]] constexpr std::size_t stored_choices() {
  if constexpr (kIsBool<T>)
    return 2;
  else
    return EnumNames<T>::value.size();
}

inline constexpr std::array<std::string_view, 2> kBoolNames = {"FALSE", "TRUE"};

/// The HDF5 type of a scalar column.
template <class T>
[[nodiscard]] h5::Type storage_type() {
  if constexpr (kIsHexId<T>)
    return h5::Type::ascii(T::kHexChars);
  else if constexpr (kIsBool<T>)
    return h5::Type::enumeration(kBoolNames);
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return h5::Type::i32();
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return h5::Type::i64();
  else if constexpr (std::is_same_v<T, float>)
    return h5::Type::f32();
  else if constexpr (std::is_same_v<T, double>)
    return h5::Type::f64();
  else
    return h5::Type::enumeration(EnumNames<T>::value);
}

}  // namespace evd::shard
