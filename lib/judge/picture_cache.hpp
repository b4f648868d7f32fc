#pragma once

#include <cstddef>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "judge/picture.hpp"
#include "shard/catalog.hpp"

namespace evd::judge {

/// Pictures ready to be sent: decoded, brought to the size they are shown at, encoded again as PNG,
/// as data URLs. Every picture goes this way, also one that has the size already, so that both
/// pictures of a pair are processed alike. Keeps the newest, since a picture is shown several
/// times in a row. Thread-safe; whoever wants a picture that is being prepared waits for it.
class PictureCache {
 public:
  PictureCache(const shard::Catalog& catalog, std::size_t most_bytes)
      : catalog_(catalog), most_bytes_(most_bytes) {}

  /// DataError when the picture is damaged or cannot be found.
  [[nodiscard]] std::shared_ptr<const std::string> data_url(const Picture& picture, Extent shown);

 private:
  struct Entry {
    std::string key;
    std::shared_future<std::shared_ptr<const std::string>> url;
    std::size_t bytes = 0;  // 0 = being prepared
  };
  void keep(const std::string& key, std::size_t bytes);
  void forget(const std::string& key);

  const shard::Catalog& catalog_;
  std::size_t most_bytes_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::list<Entry> newest_first_;
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace evd::judge
