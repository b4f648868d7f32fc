#include <algorithm>
#include <cmath>
#include <span>

#include "core/error.hpp"
#include "image/image.hpp"

namespace evd::image {
namespace {

/// Source pixels [first, first + weights.size()) of one output pixel along an axis; sums to 1.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

/// The part of a source axis that an output axis shows, in source pixels.
struct Window {
  double begin = 0;
  double length = 0;
};

void normalise(Taps& taps) {
  double sum = 0;
  for (const float weight : taps.weights) sum += weight;
  for (float& weight : taps.weights) weight = static_cast<float>(weight / sum);
}

// Exact overlap of the output pixel's footprint with each source pixel.
Taps area_taps(double begin, double end, int source) {
  const int first = std::clamp(static_cast<int>(std::floor(begin)), 0, source - 1);
  const int last = std::clamp(static_cast<int>(std::ceil(end)), first + 1, source);
  Taps taps{first, {}};
  for (int i = first; i < last; ++i)
    taps.weights.push_back(static_cast<float>(
        std::max(0.0, std::min<double>(end, i + 1) - std::max<double>(begin, i))));
  normalise(taps);
  return taps;
}

// Keys' cubic with a = -0.5, as Pillow's BICUBIC; at the border the outer taps are left out.
double cubic(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

Taps cubic_taps(double centre, int source) {
  const int first = std::max(0, static_cast<int>(std::floor(centre - 1.5)));
  const int last = std::min(source, static_cast<int>(std::floor(centre + 2.5)));
  Taps taps{first, {}};
  for (int i = first; i < last; ++i)
    taps.weights.push_back(static_cast<float>(cubic(i + 0.5 - centre)));
  normalise(taps);
  return taps;
}

std::vector<Taps> axis_taps(const Window& window, int source, int target) {
  const double step = window.length / target;
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(target));
  for (int i = 0; i < target; ++i) {
    const double begin = window.begin + i * step;
    taps.push_back(step > 1 ? area_taps(begin, begin + step, source)
                            : cubic_taps(begin + step / 2, source));
  }
  return taps;
}

std::uint8_t to_byte(float value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

/// One source row (source width, 3) -> (taps.size(), 3).
void filter_row(std::span<const std::uint8_t> row, std::span<const Taps> taps,
                std::span<float> out) {
  for (std::size_t x = 0; x < taps.size(); ++x) {
    float sum[3] = {};
    const std::uint8_t* pixel = &row[static_cast<std::size_t>(taps[x].first) * 3];
    for (const float weight : taps[x].weights)
      for (float& channel : sum) channel += weight * static_cast<float>(*pixel++);
    std::copy_n(&sum[0], 3, &out[x * 3]);
  }
}

Rgb resample(const Rgb& image, const Window& across, const Window& down, int width, int height) {
  const auto columns = axis_taps(across, image.width, width);
  const auto lines = axis_taps(down, image.height, height);
  const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
  const std::size_t out_stride = static_cast<std::size_t>(width) * 3;
  const int first = lines.front().first;
  const int last = lines.back().first + static_cast<int>(lines.back().weights.size());

  // (source rows that are needed, width, 3)
  std::vector<float> narrow(static_cast<std::size_t>(last - first) * out_stride);
  for (int y = first; y < last; ++y)
    filter_row(
        std::span(image.pixels).subspan(static_cast<std::size_t>(y) * in_stride, in_stride),
        columns,
        std::span(narrow).subspan(static_cast<std::size_t>(y - first) * out_stride, out_stride));

  Rgb out{width, height, std::vector<std::uint8_t>(out_stride * lines.size())};
  std::vector<float> sums(out_stride);
  for (std::size_t y = 0; y < lines.size(); ++y) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    std::size_t at = static_cast<std::size_t>(lines[y].first - first) * out_stride;
    for (const float weight : lines[y].weights)
      for (float& sum : sums) sum += weight * narrow[at++];
    std::transform(sums.begin(), sums.end(), &out.pixels[y * out_stride], to_byte);
  }
  return out;
}

Rgb crop(const Rgb& image, int left, int top, int width, int height) {
  Rgb out{width, height, {}};
  out.pixels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (int y = top; y < top + height; ++y) {
    const auto at = (static_cast<std::ptrdiff_t>(y) * image.width + left) * 3;
    out.pixels.insert(out.pixels.end(), image.pixels.begin() + at,
                      image.pixels.begin() + at + std::ptrdiff_t{width} * 3);
  }
  return out;
}

}  // namespace

Rgb resize_cover(const Rgb& image, int width, int height) {
  if (width < 1 || height < 1 || image.width < 1 || image.height < 1)
    throw InternalError("resize_cover: an empty image or an empty target");
  // Source pixels per target pixel, the same along both axes.
  const double step = std::min(static_cast<double>(image.width) / width,
                               static_cast<double>(image.height) / height);
  const double shown_width = step * width;
  const double shown_height = step * height;
  if (step == 1.0)  // no filter: whole pixels stay what they are
    return crop(image, (image.width - width) / 2, (image.height - height) / 2, width, height);
  return resample(image, {(image.width - shown_width) / 2, shown_width},
                  {(image.height - shown_height) / 2, shown_height}, width, height);
}

}  // namespace evd::image
