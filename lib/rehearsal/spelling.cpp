#include "rehearsal/spelling.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>

#include <cairo.h>

namespace evd::rehearsal {
namespace {

constexpr int kWidth = Coverage::kSide;
constexpr int kHeight = 16;
constexpr std::size_t kKnownWords = 512;  // above that, masks are made anew each time
using Mask = std::array<float, std::size_t{kWidth} * kHeight>;  // mean 0, length 1

struct Form {
  double width = 0;
  double height = 0;
  double right = 0;  // of the middle
  double down = 0;
};

// The eye's own idea of the letters: bold capitals side by side, near the middle of the mask.
Mask letter_mask(const std::string& word, const Form& form) {
  struct Close {
    void operator()(cairo_t* it) const { cairo_destroy(it); }
    void operator()(cairo_surface_t* it) const { cairo_surface_destroy(it); }
  };
  const std::unique_ptr<cairo_surface_t, Close> surface(
      cairo_image_surface_create(CAIRO_FORMAT_A8, kWidth, kHeight));
  const std::unique_ptr<cairo_t, Close> context(cairo_create(surface.get()));
  cairo_select_font_face(context.get(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         CAIRO_FONT_WEIGHT_BOLD);
  cairo_set_font_size(context.get(), 100);
  cairo_text_extents_t extents;
  cairo_text_extents(context.get(), word.c_str(), &extents);
  cairo_translate(context.get(), (kWidth - form.width) / 2 + form.right,
                  (kHeight - form.height) / 2 + form.down);
  cairo_scale(context.get(), form.width / extents.width, form.height / extents.height);
  cairo_move_to(context.get(), -extents.x_bearing, -extents.y_bearing);
  cairo_text_path(context.get(), word.c_str());
  cairo_fill(context.get());
  cairo_surface_flush(surface.get());

  const unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  Mask mask{};
  double sum = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const float value = static_cast<float>(data[y * stride + x]) / 255;
      mask[static_cast<std::size_t>(y * kWidth + x)] = value;
      sum += value;
    }
  }
  const auto mean = static_cast<float>(sum / static_cast<double>(mask.size()));
  double square = 0;
  for (float& value : mask) {
    value -= mean;
    square += static_cast<double>(value) * value;
  }
  const auto length = static_cast<float>(std::sqrt(std::max(square, 1e-9)));
  for (float& value : mask) value /= length;
  return mask;
}

using Masks = std::vector<Mask>;

std::shared_ptr<const Masks> masks_of(const std::string& word) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Masks>> known;
  {
    const std::lock_guard lock(mutex);
    const auto found = known.find(word);
    if (found != known.end()) return found->second;
  }
  auto masks = std::make_shared<Masks>();
  const double usual = std::min(30.0, 7.5 * static_cast<double>(word.size()) + 2);
  for (const double stretch : {0.94, 1.0, 1.06}) {
    for (const double height : {11.7, 12.5, 13.3}) {
      for (const double right : {0.0, 0.5}) {
        for (const double down : {0.0, 0.5})
          masks->push_back(
              letter_mask(word, {std::min(31.0, usual * stretch), height, right, down}));
      }
    }
  }
  const std::lock_guard lock(mutex);
  if (known.size() < kKnownWords) known.emplace(word, masks);
  return masks;
}

// Correlation of a mask, moved by (dx, dy), with the cover's band of rows from `top`.
double correlation(const Mask& mask, const Coverage::Map& cover, int top, int dx, int dy) {
  double product = 0;
  double sum = 0;
  double square = 0;
  for (int y = 0; y < kHeight; ++y) {
    const int row = top + y + dy;
    if (row < 0 || row >= Coverage::kSide) continue;
    for (int x = 0; x < kWidth; ++x) {
      const int column = x + dx;
      if (column < 0 || column >= Coverage::kSide) continue;
      const double value = cover[static_cast<std::size_t>(row * Coverage::kSide + column)];
      product += value * static_cast<double>(mask[static_cast<std::size_t>(y * kWidth + x)]);
      sum += value;
      square += value * value;
    }
  }
  const double variance = square - sum * sum / static_cast<double>(mask.size());
  return variance > 1e-6 ? product / std::sqrt(variance) : 0;
}

}  // namespace

double spelling_likeness(const std::string& word, const Coverage::Map& cover, double middle) {
  const int top = static_cast<int>(middle) - kHeight / 2;
  const auto masks = masks_of(word);
  double best = 0;
  for (const Mask& mask : *masks) {
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        best = std::max(best, correlation(mask, cover, top, dx, dy));
      }
    }
  }
  return best;
}

}  // namespace evd::rehearsal
