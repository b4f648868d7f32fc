#include "shard/export.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "shard/columns.hpp"
#include "shard/instances.hpp"

namespace evd::shard {
namespace {

template <class T>
std::string number_text(T value) {
  // Shortest text that reads back as the same number.
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// What stands in a cell, before quoting.
template <class T>
std::string plain(const T& value) {
  if constexpr (kIsHexId<T>)
    return value.hex();
  else if constexpr (kIsName<T>)
    return value.text;
  else if constexpr (kIsText<T>)
    return value;
  else if constexpr (kIsBool<T>)
    return value ? "true" : "false";
  else if constexpr (kIsNumber<T>)
    return number_text(value);
  else
    return std::string(evd::name(value));
}

std::string quoted_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

template <class T>
std::string json_value(const T& value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isfinite(value) ? number_text(value) : "null";
  else if constexpr (kIsBool<T> || kIsNumber<T>)
    return plain(value);
  else
    return nlohmann::json(plain(value))
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void check(const std::ostream& out) {
  if (!out) throw IoError("export: writing failed (is the disk full?) free space and try again");
}

}  // namespace

template <class Row>
void write_csv(std::ostream& out, std::span<const Row> rows) {
  std::string line;
  for_each_column<Row>([&](const auto& column) {
    if constexpr (!kIsBlob<typename std::decay_t<decltype(column)>::Value>)
      line += (line.empty() ? "" : ",") + std::string(column.name);
  });
  out << line << '\n';
  for (const Row& row : rows) {
    line.clear();
    const char* separator = "";
    for_each_value(row, [&]<class T>(std::string_view, const T& value, const ColumnInfo&) {
      if constexpr (!kIsBlob<T>) {
        line += separator + quoted_csv(plain(value));
        separator = ",";
      }
    });
    out << line << '\n';
  }
  check(out.flush());
}

template <class Row>
void write_jsonl(std::ostream& out, std::span<const Row> rows) {
  std::string line;
  for (const Row& row : rows) {
    line = "{";
    for_each_value(row, [&]<class T>(std::string_view name, const T& value, const ColumnInfo&) {
      if constexpr (!kIsBlob<T>)
        line += (line.size() == 1 ? "\"" : ",\"") + std::string(name) + "\":" + json_value(value);
    });
    out << line << "}\n";
  }
  check(out.flush());
}

#define EVD_INSTANCE(Row)                                            \
  template void write_csv<Row>(std::ostream&, std::span<const Row>); \
  template void write_jsonl<Row>(std::ostream&, std::span<const Row>);
EVD_SHARD_ROWS(EVD_INSTANCE)
#undef EVD_INSTANCE

}  // namespace evd::shard
