#include "rehearsal/yardstick.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "rehearsal/painter.hpp"

namespace evd::rehearsal {
namespace {

constexpr int kSide = Yardstick::kSide;

// Rows and columns that belong to a place: a half of the picture, or all of it.
struct Region {
  int left = 0;
  int top = 0;
  int right = kSide;
  int bottom = kSide;
};

Region region_of(Place place) {
  switch (place) {
    case Place::middle:
      return {};
    case Place::left:
      return {.right = kSide / 2};
    case Place::right:
      return {.left = kSide / 2};
    case Place::top:
      return {.bottom = kSide / 2};
    case Place::bottom:
      return {.top = kSide / 2};
  }
  return {};
}

// One pass of a (1 2 1) / 4 filter along an axis; `step` is the distance of neighbours.
void smooth(std::vector<float>& values, std::size_t step, std::size_t length) {
  const std::vector<float> before = values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t at = i / step % length;
    const float low = before[at == 0 ? i : i - step];
    const float high = before[at + 1 == length ? i : i + step];
    values[i] = (low + 2 * before[i] + high) / 4;
  }
}

bool attribute_equal(const Item& a, const Item& b, Attribute attribute) {
  switch (attribute) {
    case Attribute::colour:
      return a.colour == b.colour;
    case Attribute::shape:
      return a.shape == b.shape;
    case Attribute::size:
      return a.size == b.size;
    case Attribute::count:
      return a.count == b.count;
    case Attribute::word:
      return a.word == b.word;
    case Attribute::pose:
      return a.pose == b.pose;
    case Attribute::place:
      return a.place == b.place;
  }
  return false;
}

}  // namespace

Yardstick::Yardstick() {
  const Brush perfect;
  const Random random(0, Purpose::rehearsal);
  const auto picture_of = [&](const Scene& scene) {
    return prepared(paint(scene, kSide, kSide, perfect, random));
  };
  for (const Scene& scene : all_scenes()) {
    if (scene.items.size() == 1) lone_.push_back({scene.items[0], false, picture_of(scene)});
  }
  // An empty picture shows only what lies in the corner of any other.
  image::Rgb blank = paint({{Item{}}}, kSide, kSide, perfect, random);
  for (std::size_t i = 3; i < blank.pixels.size(); ++i) blank.pixels[i] = blank.pixels[i - 3];
  Candidate nothing;
  nothing.nothing = true;
  nothing.picture = prepared(blank);
  for (int place = 1; place < kPlaces; ++place) {
    auto& candidates = beside_.at(static_cast<std::size_t>(place));
    for (const Candidate& candidate : lone_) {
      if (candidate.item.place == static_cast<Place>(place)) candidates.push_back(candidate);
    }
    candidates.push_back(nothing);
  }
  lone_.push_back(nothing);
}

Yardstick::Picture Yardstick::prepared(const image::Rgb& picture) {
  if (picture.width < kSide || picture.height < kSide)
    throw DataError("a picture of " + std::to_string(picture.width) + " x " +
                    std::to_string(picture.height) + " px is too small to be measured");
  const image::Rgb small = picture.width == kSide && picture.height == kSide
                               ? picture
                               : image::resize_cover(picture, kSide, kSide);
  std::vector<float> values(kValues);
  for (std::size_t i = 0; i < kValues; ++i) values[i] = static_cast<float>(small.pixels[i]) / 255;
  // Blurred, a thing that stands half a pixel aside still looks the same.
  for (int pass = 0; pass < 2; ++pass) {
    smooth(values, 3, kSide);
    smooth(values, std::size_t{3} * kSide, kSide);
  }
  Picture result;
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}

const Yardstick::Candidate& Yardstick::nearest(const std::vector<Candidate>& candidates,
                                               const Picture& picture, Place place) const {
  const Region region = region_of(place);
  const Candidate* best = nullptr;
  float least = std::numeric_limits<float>::infinity();
  for (const Candidate& candidate : candidates) {
    float sum = 0;
    for (int y = region.top; y < region.bottom && sum < least; ++y) {
      const int begin = 3 * (y * kSide + region.left);
      const int end = 3 * (y * kSide + region.right);
      for (int i = begin; i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const float difference = picture[at] - candidate.picture[at];
        sum += difference * difference;
      }
    }
    if (sum < least) {
      least = sum;
      best = &candidate;
    }
  }
  return *best;
}

std::vector<Check> Yardstick::check(const Scene& meant, const image::Rgb& picture) const {
  const Picture seen = prepared(picture);
  const bool lone = meant.items.size() == 1;
  std::vector<Check> checks;
  for (std::size_t i = 0; i < meant.items.size(); ++i) {
    const Item& item = meant.items[i];
    const Candidate& found =
        lone ? nearest(lone_, seen, Place::middle)
             : nearest(beside_.at(static_cast<std::size_t>(item.place)), seen, item.place);
    const bool there =
        !found.nothing && found.item.kind == item.kind && found.item.place == item.place;
    const bool coloured = there && found.item.colour == item.colour;
    for (const Attribute attribute : attributes_of(item.kind)) {
      if (attribute == Attribute::place) {
        if (lone) checks.push_back({i, attribute, there});
      } else {
        checks.push_back({i, attribute, coloured && attribute_equal(found.item, item, attribute)});
      }
    }
  }
  return checks;
}

double Yardstick::alignment(const Scene& meant, const image::Rgb& picture) const {
  const auto checks = check(meant, picture);
  const auto right = std::count_if(checks.begin(), checks.end(), [](auto& it) { return it.right; });
  return static_cast<double>(right) / static_cast<double>(checks.size());
}

Estimate estimate(const std::vector<double>& values) {
  Estimate result{.count = values.size()};
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) result.mean += value / n;
  double variance = 0;
  for (const double value : values) variance += (value - result.mean) * (value - result.mean);
  const double half = n > 1 ? 1.96 * std::sqrt(variance / (n - 1) / n) : 1;
  result.low = std::max(0.0, result.mean - half);
  result.high = std::min(1.0, result.mean + half);
  return result;
}

}  // namespace evd::rehearsal
