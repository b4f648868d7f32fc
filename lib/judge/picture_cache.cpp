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
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
    return found->second->second;
  }
  auto url = std::make_shared<const std::string>(prepared(catalog_, picture, shown));
  bytes_ += url->size();
  newest_first_.emplace_front(key, url);
  by_key_[key] = newest_first_.begin();
  while (bytes_ > most_bytes_ && newest_first_.size() > 1) {
    bytes_ -= newest_first_.back().second->size();
    by_key_.erase(newest_first_.back().first);
    newest_first_.pop_back();
  }
  return url;
}

}  // namespace evd::judge
