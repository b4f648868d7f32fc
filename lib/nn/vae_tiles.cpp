#include "nn/vae_tiles.hpp"

#include <algorithm>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

namespace evd::nn {
namespace {

/// The first rows (dim 2) or columns (dim 3) of `tile` fade from the last ones of `before`.
void fade(const at::Tensor& before, at::Tensor& tile, std::int64_t dim, std::int64_t extent) {
  extent = std::min({before.size(dim), tile.size(dim), extent});
  if (extent == 0) return;
  std::vector<std::int64_t> shape(4, 1);
  shape[static_cast<std::size_t>(dim)] = extent;
  const at::Tensor weight = (at::arange(extent, at::kDouble) / extent).view(shape);
  const at::Tensor before_weight = (1 - weight).to(tile.options());
  at::Tensor part = tile.narrow(dim, 0, extent);
  part.mul_(weight.to(tile.options()))
      .add_(before.narrow(dim, before.size(dim) - extent, extent) * before_weight);
}

}  // namespace

at::Tensor in_tiles(const at::Tensor& x, const Tiles& tiles,
                    const std::function<at::Tensor(const at::Tensor&)>& work) {
  const auto part = [&](std::int64_t dim, std::int64_t first) {
    return std::min(tiles.side, x.size(dim) - first);
  };
  const auto kept = [&](const at::Tensor& tile, std::int64_t dim) {
    return tile.narrow(dim, 0, std::min(tiles.keep, tile.size(dim)));
  };
  std::vector<at::Tensor> above;
  std::vector<at::Tensor> rows;
  for (std::int64_t y = 0; y < x.size(2); y += tiles.step) {
    std::vector<at::Tensor> row;
    std::vector<at::Tensor> shown;
    for (std::int64_t left = 0; left < x.size(3); left += tiles.step) {
      at::Tensor tile = work(x.narrow(2, y, part(2, y)).narrow(3, left, part(3, left)));
      if (!above.empty()) fade(above[row.size()], tile, 2, tiles.blend);
      if (!row.empty()) fade(row.back(), tile, 3, tiles.blend);
      shown.push_back(kept(kept(tile, 2), 3));
      row.push_back(std::move(tile));
    }
    rows.push_back(at::cat(shown, 3));
    above = std::move(row);
  }
  return at::cat(rows, 2);
}

}  // namespace evd::nn
