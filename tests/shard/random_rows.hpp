#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/random.hpp"
#include "shard/columns.hpp"

namespace evd::shard::test {

/// Text of any length up to `most` characters: ASCII, accents, CJK, emoji, right-to-left.
inline std::string random_text(Random& random, std::size_t most) {
  static constexpr std::array<std::string_view, 12> kPieces = {
      "a", "red", " ", "circle", ",", "\"", "\n", "\u00e9", "\u6f22", "\U0001F600", "\u05d0", "z"};
  std::string text;
  for (auto left = random.below(most + 1); left > 0; --left)
    text += kPieces[random.below(kPieces.size())];
  return text;
}

template <class T>
void fill(T& value, Random& random) {
  if constexpr (kIsHexId<T>) {
    std::array<std::uint8_t, T::kBytes> bytes{};
    if (random.below(8) != 0)
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
    value = T(bytes);
  } else if constexpr (kIsName<T>) {
    static constexpr std::array<std::string_view, 5> kWords = {"", "alpha", "beta", "gpt-image-1",
                                                               "\u6f22"};
    value.text = kWords[random.below(kWords.size())];
  } else if constexpr (kIsText<T>) {
    value = random_text(random, 40);
  } else if constexpr (kIsBlob<T>) {
    value.resize(random.below(4) == 0 ? 0 : random.below(2000));
    for (auto& byte : value) byte = static_cast<std::byte>(random.below(256));
  } else if constexpr (std::is_floating_point_v<T>) {
    value = static_cast<T>(random.normal() * 1e3);
  } else if constexpr (kIsNumber<T>) {
    value = static_cast<T>(random.next_u64());
  } else if constexpr (kIsBool<T>) {
    value = random.below(2) == 1;
  } else {
    value = static_cast<T>(random.below(EnumNames<T>::value.size()));
  }
}

/// Rows with a random value in every column; the same for the same seed.
template <class Row>
std::vector<Row> random_rows(std::size_t count, std::uint64_t seed) {
  std::vector<Row> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    Random random(seed, Purpose::test, i);
    for_each_column<Row>([&](const auto& column) { fill(column.of(rows[i]), random); });
    if constexpr (requires { rows[i].bytes; }) rows[i].sha256 = sha256(Bytes(rows[i].bytes));
  }
  return rows;
}

/// The first column in which two rows differ, blobs aside; "" when they are equal.
template <class Row>
std::string difference(const Row& a, const Row& b) {
  std::string found;
  for_each_column<Row>([&](const auto& column) {
    using T = typename std::decay_t<decltype(column)>::Value;
    if constexpr (!kIsBlob<T>)
      if (found.empty() && !(column.of(a) == column.of(b))) found = column.name;
  });
  return found;
}

}  // namespace evd::shard::test
