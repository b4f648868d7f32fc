#include "judge/picture_cache.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/image.hpp"
#include "vlm/questions.hpp"

namespace evd::judge {
namespace {

std::string prepared(const shard::Catalog& catalog, const Picture& picture, Extent shown) {
  const auto bytes = catalog.bytes(picture.where);
  try {
    const auto resized = image::resize_cover(image::decode(bytes), shown.width, shown.height);
    const auto png = image::encode_png(resized);
    return vlm::data_url("image/png", png);
  } catch (const DataError& error) {
    throw DataError(format("%s row %d: %s", catalog.path(picture.where.shard).c_str(),
                           picture.where.row, error.what()));
  }
}

}  // namespace

std::shared_ptr<const std::string> PictureCache::data_url(const Picture& picture, Extent shown) {
  const std::string key = picture.sha256.hex() + format("@%dx%d", shown.width, shown.height);
  std::promise<std::shared_ptr<const std::string>> promise;
  {
    std::unique_lock lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
      const auto url = found->second->url;
      lock.unlock();
      return url.get();
    }
    newest_first_.push_front({key, promise.get_future().share()});
    by_key_[key] = newest_first_.begin();
  }
  try {
    auto url = std::make_shared<const std::string>(prepared(catalog_, picture, shown));
    promise.set_value(url);
    keep(key, url->size());
    return url;
  } catch (...) {
    promise.set_exception(std::current_exception());
    forget(key);
    throw;
  }
}

void PictureCache::keep(const std::string& key, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  by_key_.at(key)->bytes = bytes;
  bytes_ += bytes;
  for (auto at = newest_first_.end(); bytes_ > most_bytes_ && at != newest_first_.begin();) {
    --at;
    if (at->bytes == 0 || at == newest_first_.begin()) continue;
    bytes_ -= at->bytes;
    by_key_.erase(at->key);
    at = newest_first_.erase(at);
  }
}

void PictureCache::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  newest_first_.erase(by_key_.at(key));
  by_key_.erase(key);
}

}  // namespace evd::judge
