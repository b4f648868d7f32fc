#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shard/table.hpp"

namespace evd::evaluate {

/// Renders in the results of a stage that were set aside: a picture of equal key is not drawn
/// again. Damaged files and pictures are passed over, they cost nothing but time.
class RetiredRenders {
 public:
  /// Holds nothing.
  RetiredRenders() = default;
  /// `directory`: of the stage; those beside it that are called `<directory>.retired-*` are read.
  explicit RetiredRenders(const std::filesystem::path& directory);

  /// Encoded bytes of the picture with this key, checksums verified.
  [[nodiscard]] std::optional<shard::Blob> find(const RequestKey& key);

 private:
  struct Place {
    std::size_t file = 0;
    std::int64_t row = 0;
    Sha256 sha256;
  };
  void index(const std::filesystem::path& file);

  std::vector<std::filesystem::path> files_;
  std::unordered_map<RequestKey, Place> by_key_;
  // Pictures are looked up in the order in which they lie: one open file is enough.
  std::optional<std::pair<std::size_t, shard::Table<shard::Image>>> open_;
};

}  // namespace evd::evaluate
