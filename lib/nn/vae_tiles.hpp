#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

namespace evd::nn {

/// How a map is cut into tiles that overlap by a quarter, and put together again.
struct Tiles {
  std::int64_t side;   ///< of a tile of the input
  std::int64_t step;   ///< from a tile to the next, of the input
  std::int64_t blend;  ///< rows and columns of the output over which neighbours fade
  std::int64_t keep;   ///< of a tile of the output
};

/// `work` on each tile of x (N, C, H, W), in raster order. As diffusers does it: a tile fades into
/// the one above, then into the one to the left, both of them as they were left by their own
/// fading.
[[nodiscard]] at::Tensor in_tiles(const at::Tensor& x, const Tiles& tiles,
                                  const std::function<at::Tensor(const at::Tensor&)>& work);

}  // namespace evd::nn
