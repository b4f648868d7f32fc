#include "judge/picture.hpp"

#include <algorithm>

namespace evd::judge {

Extent common_extent(const Picture& a, const Picture& b, int side) {
  Extent extent{std::min(a.width, b.width), std::min(a.height, b.height)};
  const int longer = std::max(extent.width, extent.height);
  if (side <= 0 || longer <= 0) return extent;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>((std::int64_t{length} * side + longer / 2) / longer));
  };
  return {scaled(extent.width), scaled(extent.height)};
}

}  // namespace evd::judge
