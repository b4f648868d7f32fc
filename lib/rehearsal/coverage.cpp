#include "rehearsal/coverage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace evd::rehearsal {
namespace {

using Pixel = std::array<float, 3>;

// What these words mean to the eye. The painter has paints of its own, close to these.
constexpr std::array<Pixel, Coverage::kPaints + 1> kPaintColours = {{
    {0.86F, 0.13F, 0.14F},  // red
    {0.12F, 0.61F, 0.24F},  // green
    {0.13F, 0.33F, 0.86F},  // blue
    {0.95F, 0.80F, 0.10F},  // yellow
    {0.61F, 0.17F, 0.71F},  // purple
    {0.08F, 0.08F, 0.09F},  // black
    {0.87F, 0.67F, 0.53F},  // skin
    {0.45F, 0.46F, 0.50F},  // grey cloth, which is none of the colours
}};
constexpr std::size_t kGrey = Coverage::kPaints;

float dot(const Pixel& a, const Pixel& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

Pixel minus(const Pixel& a, const Pixel& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }

// Median of the light, unsaturated pixels by channel.
Pixel background_of(const std::vector<Pixel>& pixels) {
  Pixel background{};
  std::vector<float> values;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    values.clear();
    for (const Pixel& pixel : pixels) {
      const auto [low, high] = std::minmax({pixel[0], pixel[1], pixel[2]});
      if (low > 0.7F && high - low < 0.15F) values.push_back(pixel[channel]);
    }
    if (values.size() < 32) return {0.94F, 0.94F, 0.93F};
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    background[channel] = *middle;
  }
  return background;
}

// A mild blur: takes the grain of a young model's pictures without moving edges.
std::vector<Pixel> softened(const image::Rgb& picture) {
  constexpr int n = Coverage::kSide;
  std::vector<Pixel> pixels(std::size_t{n} * n);
  const auto value = [&](int x, int y, int channel) {
    const int cx = std::clamp(x, 0, n - 1);
    const int cy = std::clamp(y, 0, n - 1);
    return static_cast<float>(
        picture.pixels[static_cast<std::size_t>(3 * (cy * n + cx) + channel)]);
  };
  for (int y = 0; y < n; ++y) {
    for (int x = 0; x < n; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        const float around = value(x - 1, y, channel) + value(x + 1, y, channel) +
                             value(x, y - 1, channel) + value(x, y + 1, channel);
        pixels[static_cast<std::size_t>(y * n + x)][static_cast<std::size_t>(channel)] =
            (4 * value(x, y, channel) + around) / (8 * 255);
      }
    }
  }
  return pixels;
}

}  // namespace

Coverage::Coverage(const image::Rgb& picture) {
  const bool fits = picture.width == kSide && picture.height == kSide;
  const auto pixels = softened(fits ? picture : image::resize_cover(picture, kSide, kSide));
  const Pixel background = background_of(pixels);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const Pixel from = minus(pixels[i], background);
    if (dot(from, from) < 0.02F) continue;
    float least = std::numeric_limits<float>::infinity();
    float cover = 0;
    std::size_t best = kGrey;
    for (std::size_t paint = 0; paint < kPaintColours.size(); ++paint) {
      const Pixel to = minus(kPaintColours[paint], background);
      const float share = std::clamp(dot(from, to) / dot(to, to), 0.0F, 1.1F);
      const Pixel rest = {from[0] - share * to[0], from[1] - share * to[1],
                          from[2] - share * to[2]};
      // A paint that would cover little must fit better: grey is not a little black.
      const float error = dot(rest, rest) + (share < 0.7F ? 0.02F * (0.7F - share) : 0.0F);
      if (error >= least) continue;
      least = error;
      cover = share;
      best = paint;
    }
    if (best != kGrey && least < 0.15F) maps_[best][i] = std::min(cover, 1.0F);
  }
}

Moments moments(const Coverage::Map& map, const Box& box) {
  Moments m;
  const auto each = [&](auto visit) {
    for (int y = box.top; y < box.bottom; ++y) {
      for (int x = box.left; x < box.right; ++x) {
        const double cover = map[static_cast<std::size_t>(y * Coverage::kSide + x)];
        if (cover > 0) visit(x + 0.5, y + 0.5, cover);
      }
    }
  };
  each([&](double x, double y, double cover) {
    m.mass += cover;
    m.x += cover * x;
    m.y += cover * y;
  });
  if (m.mass <= 0) return m;
  m.x /= m.mass;
  m.y /= m.mass;
  each([&](double x, double y, double cover) {
    const double dx = x - m.x;
    const double dy = y - m.y;
    const double share = cover / m.mass;
    m.xx += share * dx * dx;
    m.yy += share * dy * dy;
    m.xxyy += share * dx * dx * dy * dy;
    m.yyy += share * dy * dy * dy;
  });
  return m;
}

}  // namespace evd::rehearsal
