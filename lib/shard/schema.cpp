#include "shard/schema.hpp"

#include <array>
#include <utility>

#include "shard/columns.hpp"
#include "shard/format.hpp"
#include "shard/instances.hpp"
#include "shard/round_row.hpp"
#include "shard/table.hpp"

namespace evd::shard {
namespace {

template <class T>
constexpr ColumnKind kind_of() {
  if constexpr (kIsHexId<T>)
    return ColumnKind::id;
  else if constexpr (kIsName<T>)
    return ColumnKind::name;
  else if constexpr (kIsText<T>)
    return ColumnKind::text;
  else if constexpr (kIsBlob<T>)
    return ColumnKind::blob;
  else if constexpr (kIsBool<T>)
    return ColumnKind::flag;
  else if constexpr (NamedEnum<T>)
    return ColumnKind::choice;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return ColumnKind::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return ColumnKind::int64;
  else if constexpr (std::is_same_v<T, float>)
    return ColumnKind::float32;
  else
    return ColumnKind::float64;
}

// What one row is.
std::string_view grain_of(std::string_view table) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kGrains = {{
      {"samples", "a prompt that the campaign has or had"},
      {"images", "a picture that was asked for: a teacher's, or the base model's"},
      {"answers", "a reply of the VLM"},
      {"pairs", "a decided comparison of two pictures, both orders"},
      {"calls", "an HTTP attempt"},
      {"prompts", "a line of the user's prompts"},
      {"steps", "an optimizer step"},
      {"visits", "a sample in the batch of an optimizer step"},
      {"blocks", "a part of the network at an optimizer step"},
      {"validations", "the loss at one timestep of samples held out from training"},
      {"features", "what an encoder made of a prompt or a picture"},
      {"feature_uses", "a feature that a round's training read"},
      {"metrics", "a measured figure with its interval"},
      {"rounds", "a result of a stage, as its manifest says"},
  }};
  for (const auto& [name, grain] : kGrains)
    if (name == table) return grain;
  return "";
}

}  // namespace

template <>
std::string_view table_name<Round>() {
  return "rounds";
}

template <class Row>
TableSchema schema_of() {
  TableSchema schema{table_name<Row>(), grain_of(table_name<Row>()), {}};
  for_each_column<Row>([&](const auto& column) {
    using T = typename std::decay_t<decltype(column)>::Value;
    ColumnSchema found{column.name, column.info, kind_of<T>()};
    if constexpr (kIsHexId<T>) found.hex_chars = T::kHexChars;
    if constexpr (NamedEnum<T>) found.choices = EnumNames<T>::value;
    if (found.kind == ColumnKind::text && format::is_variable_text(schema.name, found.name))
      found.kind = ColumnKind::variable_text;
    schema.columns.push_back(found);
  });
  return schema;
}

#define EVD_INSTANCE(Row) template TableSchema schema_of<Row>();
EVD_SHARD_ROWS(EVD_INSTANCE)
EVD_INSTANCE(Round)
#undef EVD_INSTANCE

}  // namespace evd::shard
