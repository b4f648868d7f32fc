#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "judge/picture.hpp"
#include "shard/catalog.hpp"

namespace evd::judge {

/// Pictures ready to be sent: decoded, brought to the size they are shown at, encoded again as PNG,
/// as data URLs. Every picture goes this way, also one that has the size already, so that both
/// pictures of a pair are processed alike. Keeps the newest, since a picture is shown several
/// times in a row.
class PictureCache {
 public:
  PictureCache(const shard::Catalog& catalog, std::size_t most_bytes)
      : catalog_(catalog), most_bytes_(most_bytes) {}

  /// DataError when the picture is damaged or cannot be found.
  [[nodiscard]] std::shared_ptr<const std::string> data_url(const Picture& picture, Extent shown);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<const std::string>>;
  const shard::Catalog& catalog_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> newest_first_;
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace evd::judge
