#pragma once

#include <limits>
#include <string_view>

#include "core/enum.hpp"

namespace evd {

/// When a key may change. Identity: never. Science: frozen per round, part of the science digest.
/// Operation: at any time, part of no digest.
enum class Scope { identity, science, operation };
template <>
struct EnumNames<Scope> {
  static constexpr std::array<std::string_view, 3> value = {"identity", "science", "operation"};
};

/// What stands beside a value in help, configuration table and messages. An options struct has
/// `template <class V> void describe(V& v) { v("steps", steps, {.unit = "steps", .help = ...}); }`
/// and the same description loads, prints, checks, digests and documents it.
struct OptionInfo {
  std::string_view unit = "";
  std::string_view help = "";
  Scope scope = Scope::science;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

}  // namespace evd
