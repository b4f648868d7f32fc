#include "data/pictures.hpp"

#include <mutex>
#include <string>

#include "core/error.hpp"

namespace evd::data {

Pictures::Pictures(std::size_t count, int side_px, Load load, std::size_t limit_bytes)
    : side_px_(side_px),
      values_(3 * static_cast<std::size_t>(side_px) * static_cast<std::size_t>(side_px)),
      load_(std::move(load)),
      room_(limit_bytes / values_),
      held_(count) {}

std::vector<std::uint8_t> Pictures::pixels(std::size_t index) const {
  {
    const std::shared_lock lock(mutex_);
    if (!held_.at(index).empty()) return held_[index];
  }
  // Decoding outside the lock: two threads may decode the same picture once each, no harm done.
  std::vector<std::uint8_t> fresh = load_(index).pixels;
  if (fresh.size() != values_)
    throw InternalError("picture " + std::to_string(index) + " has " +
                        std::to_string(fresh.size()) + " values instead of " +
                        std::to_string(values_));
  const std::unique_lock lock(mutex_);
  if (held_[index].empty() && held_count_ < room_) {
    held_[index] = fresh;
    ++held_count_;
  }
  return fresh;
}

Loaded Pictures::load(std::size_t index) const {
  Loaded loaded;
  loaded.height = loaded.width = side_px_;
  loaded.picture.resize(values_);
  copy_to(index, loaded.picture);
  return loaded;
}

void Pictures::copy_to(std::size_t index, std::span<float> out) const {
  if (out.size() != values_) throw InternalError("a picture's values do not fit their place");
  const std::vector<std::uint8_t> rgb = pixels(index);  // (H, W, 3)
  const std::size_t plane = values_ / 3;
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      out[c * plane + i] = static_cast<float>(rgb[i * 3 + c]) / 127.5F - 1.0F;
}

}  // namespace evd::data
