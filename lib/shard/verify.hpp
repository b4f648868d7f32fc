#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "shard/table.hpp"

namespace evd::shard {

/// sums: manifest, sizes, SHA-256, and that each table opens. deep: also every row and picture.
enum class Depth { sums, deep };

struct Verified {
  std::vector<std::string> problems;  ///< one line each; empty = all is well
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t rows = 0;      ///< rows read; deep only
  std::int64_t pictures = 0;  ///< pictures checked; deep only
};

/// Decodes one picture and throws an evd::Error when it cannot or when its size is another.
using DecodePicture = std::function<void(const Image& row, Bytes bytes)>;

/// Checks one stage's directory against its manifest. Never throws for what is in the files.
[[nodiscard]] Verified verify_directory(const std::filesystem::path& directory, Depth depth,
                                        const DecodePicture& decode = {});

}  // namespace evd::shard
