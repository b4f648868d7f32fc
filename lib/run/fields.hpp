#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/option.hpp"
#include "run/config.hpp"

namespace evd::run {

/// A member of a closed vocabulary, by the position of its name.
struct EnumSlot {
  std::span<const std::string_view> names;
  std::function<std::size_t()> get;
  std::function<void(std::size_t)> set;
};
using Slot =
    std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*, EnumSlot>;

/// One key of a configuration, bound to the member that holds its value. Everything that is done
/// with a configuration (load, check, print, digest, document) walks these.
struct Field {
  std::string table;  ///< train, vlm; teacher.<name> for teachers
  std::string key;
  OptionInfo info;
  Slot slot;

  [[nodiscard]] std::string path() const { return table + "." + key; }
};

/// A value as a file or a command line gives it; text when its type is still open.
using Value = std::variant<bool, std::int64_t, double, std::string>;

/// The keys of all tables that occur once, in file order. They point into `config`.
[[nodiscard]] std::vector<Field> fields_of(Config& config);
/// The keys of one service, under `table`.
[[nodiscard]] std::vector<Field> fields_of(teacher::ServiceOptions& service, std::string table);

/// The value as TOML: the shortest text that reads back as the same value.
[[nodiscard]] std::string literal(const Field& field);
/// "a number", "a whole number", "a text", "true or false", "one of: ...".
[[nodiscard]] std::string type_name(const Field& field);
/// "1 .. 100000", ">= 0", or "" when anything goes.
[[nodiscard]] std::string range_text(const Field& field);

/// Sets the member after checking type and range; ConfigurationError led by `where` otherwise.
void assign(const Field& field, const Value& value, std::string_view where);
/// The same from a command line's text, read as the member's type wants it.
void assign_text(const Field& field, std::string_view text, std::string_view where);

/// Text as a TOML basic string, quoted.
[[nodiscard]] std::string toml_string(std::string_view text);

}  // namespace evd::run
