#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace evd {

/// Names of a closed vocabulary, in the order of its values from 0. Specialise with
/// `static constexpr std::array<std::string_view, N> value`. The names stand in configuration
/// files, HDF5 enums, JSON and CSV alike, so they are part of the data format.
template <class E>
struct EnumNames;

template <class E>
concept NamedEnum = requires {
  EnumNames<E>::value.size();
};

template <NamedEnum E>
[[nodiscard]] constexpr std::string_view name(E value) {
  return EnumNames<E>::value.at(static_cast<std::size_t>(value));
}

/// The value called `text`; ConfigurationError that lists the choices otherwise.
template <NamedEnum E>
[[nodiscard]] E parse_enum(std::string_view text, std::string_view what) {
  std::string choices;
  for (std::size_t i = 0; i < EnumNames<E>::value.size(); ++i) {
    if (EnumNames<E>::value[i] == text) return static_cast<E>(i);
    choices += (i == 0 ? "" : ", ") + std::string(EnumNames<E>::value[i]);
  }
  throw ConfigurationError(std::string(what) + " = \"" + std::string(text) +
                           "\" is not one of: " + choices);
}

}  // namespace evd
