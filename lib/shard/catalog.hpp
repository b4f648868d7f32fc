#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "shard/table.hpp"

namespace evd::shard {

/// Where an image lies: a file by its SHA-256 and a row in it.
struct ImageLocation {
  Sha256 shard;
  std::int32_t row = -1;
};

/// Every published image file of a campaign, retired results included, found by manifest. Keys and
/// pointers resolve here whatever directory a result has been renamed to.
class Catalog {
 public:
  /// Reads all manifests under `campaign`; damaged ones are reported in `problems`, not thrown.
  /// IoError when one is there and cannot be read: what it lists would be paid for again.
  explicit Catalog(std::filesystem::path campaign);
  ~Catalog();
  Catalog(Catalog&&) noexcept;

  [[nodiscard]] const std::vector<std::string>& problems() const;
  /// Path of the file with this digest; DataError when no manifest lists it.
  [[nodiscard]] std::filesystem::path path(const Sha256& shard) const;
  /// A published file as a manifest lists it.
  struct Listing {
    std::filesystem::path path;
    Sha256 sha256;
    std::int32_t round = 0;
  };
  /// Every published file of a table, those published last first.
  [[nodiscard]] std::vector<Listing> files(std::string_view table) const;
  /// Image rows (without bytes) of a published file; opened once and kept.
  [[nodiscard]] const std::vector<Image>& images(const Sha256& shard) const;
  /// Encoded bytes of one image, checksum verified; thread-safe.
  [[nodiscard]] Blob bytes(const ImageLocation& where) const;
  /// Newest row that a harvest published for a request key (outcome ok, refused or failed). The
  /// first call reads the keys of every harvested file; renders, which cost no money, are left out.
  [[nodiscard]] std::optional<ImageLocation> find(const RequestKey& key) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::shard
