#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/error.hpp"
#include "shard/columns.hpp"
#include "shard/instances.hpp"
#include "shard/table.hpp"

namespace evd::shard {
namespace {

void put_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

// One bit pattern for equal numbers: no negative zero, one NaN.
std::uint64_t canonical_bits(double value) {
  if (std::isnan(value)) return 0x7ff8000000000000ULL;
  return std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
}

template <class T>
void put(std::string& out, const T& value) {
  if constexpr (kIsHexId<T>) {
    out.append(reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
  } else if constexpr (kIsName<T>) {
    put_text(out, value.text);
  } else if constexpr (kIsText<T>) {
    put_text(out, value);
  } else if constexpr (std::is_floating_point_v<T>) {
    put_number(out, canonical_bits(static_cast<double>(value)));
  } else if constexpr (std::is_integral_v<T> && !kIsBool<T>) {
    // Offset binary, so that bytes sort as the numbers do.
    put_number(out, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) ^ (1ULL << 63));
  } else {
    out += static_cast<char>(value);
  }
}

// The columns that tell rows apart; sorting by them frees the digest from the order in a file.
std::string key_of(const Sample& row) {
  std::string key;
  put(key, row.id);
  return key;
}
std::string key_of(const Image& row) {
  std::string key;
  put(key, row.id);
  put(key, row.key);
  return key;
}
std::string key_of(const Answer& row) {
  std::string key;
  put(key, row.key);
  put(key, row.attempt);
  return key;
}
std::string key_of(const Pair& row) {
  std::string key;
  put(key, row.id);
  return key;
}
std::string key_of(const Call& row) {
  std::string key;
  put(key, row.key);
  put(key, row.attempt);
  return key;
}
std::string key_of(const Prompt& row) {
  std::string key;
  put(key, row.id);
  return key;
}
std::string key_of(const Step& row) {
  std::string key;
  put(key, row.step);
  return key;
}
std::string key_of(const Visit& row) {
  std::string key;
  put(key, row.step);
  put(key, row.place);
  return key;
}
std::string key_of(const Block& row) {
  std::string key;
  put(key, row.step);
  put(key, row.part);
  return key;
}
std::string key_of(const Validation& row) {
  std::string key;
  put(key, row.step);
  put(key, row.averaged);
  put(key, row.timestep);
  return key;
}
std::string key_of(const Feature& row) {
  std::string key;
  put(key, row.key);
  return key;
}
std::string key_of(const FeatureUse& row) {
  std::string key;
  put(key, row.kind);
  put(key, row.sample);
  return key;
}
std::string key_of(const Metric& row) {
  std::string key;
  put(key, row.round);
  put(key, row.stage);
  put(key, row.metric);
  put(key, row.category);
  put(key, row.teacher);
  return key;
}

// A picture is in by its sha256 column, so that rows read back without bytes give the same digest.
template <class Row>
std::string content_of_row(const Row& row) {
  std::string content;
  for_each_value(row, [&]<class T>(std::string_view, const T& value, const ColumnInfo& info) {
    if constexpr (!kIsBlob<T>)
      if (!info.is_volatile) put(content, value);
  });
  return content;
}

template <class Row>
void put_header(Sha256Stream& stream) {
  std::string names(table_name<Row>());
  for_each_column<Row>([&](const auto& column) {
    if (!column.info.is_volatile) names += "," + std::string(column.name);
  });
  stream.field("evolvedirector content 1").field(names);
}

}  // namespace

template <class Row>
Sha256 content_digest(std::span<const Row> rows) {
  std::vector<std::string> keys(rows.size());
  std::transform(rows.begin(), rows.end(), keys.begin(),
                 [](const Row& row) { return key_of(row); });
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (const int sign = keys[a].compare(keys[b]); sign != 0) return sign < 0;
    return a != b && content_of_row(rows[a]) < content_of_row(rows[b]);
  });
  Sha256Stream stream;
  put_header<Row>(stream);
  stream.field(static_cast<std::uint64_t>(rows.size()));
  for (const std::size_t i : order) stream.field(content_of_row(rows[i]));
  return stream.finish();
}

#define EVD_INSTANCE(Row) template Sha256 content_digest<Row>(std::span<const Row>);
EVD_SHARD_ROWS(EVD_INSTANCE)
#undef EVD_INSTANCE

}  // namespace evd::shard
