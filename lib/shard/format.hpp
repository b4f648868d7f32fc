#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What writer, reader and FORMAT.md agree on.
namespace evd::shard::format {

inline constexpr std::string_view kSchema = "evolvedirector";
/// A reader takes any minor version of its major one: columns are only added, and those that an
/// older file lacks read as their defaults. Raise the minor version with each column.
inline constexpr std::int32_t kMajor = 1;
inline constexpr std::int32_t kMinor = 0;

/// Datasets beside a column.
inline constexpr std::string_view kNames = "_names";      ///< vocabulary of a Name column
inline constexpr std::string_view kOffsets = "_offsets";  ///< where each row's bytes begin
inline constexpr std::string_view kXxh3 = "_xxh3";        ///< checksum of each row's bytes

/// Attributes of a column.
inline constexpr const char* kUnit = "unit";
inline constexpr const char* kMeaning = "meaning";
inline constexpr const char* kVolatile = "volatile";
/// xxh3-64 of all bytes of a text column (variable-length: each text and a zero byte).
inline constexpr const char* kChecksum = "xxh3";

/// Longest word of an open vocabulary, most words of one, longest text.
inline constexpr std::size_t kMostNameBytes = 4096;
inline constexpr std::size_t kMostNames = 1U << 24;
inline constexpr std::uint64_t kMostTextBytes = 1ULL << 26;
/// Most rows of one file.
inline constexpr std::uint64_t kMostRows = 100'000'000;

[[nodiscard]] inline std::string beside(std::string_view column, std::string_view suffix) {
  return std::string(column) + std::string(suffix);
}

/// The one column of variable-length strings.
[[nodiscard]] constexpr bool is_variable_text(std::string_view table, std::string_view column) {
  return table == "samples" && column == "prompt";
}

}  // namespace evd::shard::format
