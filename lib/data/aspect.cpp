#include "data/aspect.hpp"

#include <array>
#include <cmath>
#include <string>

#include "core/error.hpp"

namespace evd::data {
namespace {

constexpr std::size_t kEntries = 20;
using Table = std::array<AspectBucket, kEntries>;

constexpr Table kAt1024 = {
    {{0.50, 704, 1408}, {0.52, 704, 1344}, {0.57, 768, 1344},  {0.60, 768, 1280},
     {0.68, 832, 1216}, {0.72, 832, 1152}, {0.78, 896, 1152},  {0.82, 896, 1088},
     {0.88, 960, 1088}, {0.94, 960, 1024}, {1.00, 1024, 1024}, {1.07, 1024, 960},
     {1.13, 1088, 960}, {1.21, 1088, 896}, {1.29, 1152, 896},  {1.38, 1152, 832},
     {1.46, 1216, 832}, {1.67, 1280, 768}, {1.75, 1344, 768},  {2.00, 1408, 704}}};

// The smaller tables have the same keys: sides are divided, aspects are not computed anew.
constexpr Table divided(int by) {
  Table table = kAt1024;
  for (auto& bucket : table) {
    bucket.height_px /= by;
    bucket.width_px /= by;
  }
  return table;
}
constexpr Table kAt512 = divided(2);
constexpr Table kAt256 = divided(4);

}  // namespace

std::span<const AspectBucket> aspect_table(int side_px) {
  if (side_px == 1024) return kAt1024;
  if (side_px == 512) return kAt512;
  if (side_px == 256) return kAt256;
  throw ConfigurationError("network.multi_aspect: there are sizes for 256, 512 and 1024 px, not " +
                           std::to_string(side_px) +
                           " px (network.input_size, times the VAE's 8 px a latent)");
}

int bucket_of(std::span<const AspectBucket> table, int width_px, int height_px) {
  if (table.empty() || width_px < 1 || height_px < 1)
    throw InternalError("no aspect bucket for a picture of " + std::to_string(width_px) + " x " +
                        std::to_string(height_px) + " px");
  const double aspect = static_cast<double>(height_px) / width_px;
  std::size_t best = 0;
  for (std::size_t i = 1; i < table.size(); ++i)
    if (std::abs(table[i].aspect - aspect) < std::abs(table[best].aspect - aspect)) best = i;
  return static_cast<int>(best);
}

}  // namespace evd::data
