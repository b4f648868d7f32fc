#include "nn/positions.hpp"

#include <cmath>

#include <ATen/core/Tensor.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/network.hpp"
#include "nn/pixart_names.hpp"

namespace evd::nn {
namespace {

// Positions lie in [-1, 1].
double rounding_of(TensorType type) {
  if (type == TensorType::BF16) return 0x1p-8;
  return type == TensorType::F16 ? 0x1p-11 : 1e-5;
}

}  // namespace

void check_positions(const WeightSet& set, const Layout& layout) {
  const auto found = set.tensors().find(kPositionsName);
  if (found == set.tensors().end() || layout.network().multi_aspect) return;
  const auto& n = layout.network();
  const auto refuse = [&](const std::string& why) {
    throw DataError(set.where() + ": pos_embed is that of another network (" + why +
                    "): tell its size with --set network.input_size and network.interpolation, or "
                    "have it computed anew with --fresh pos_embed");
  };
  const std::int64_t side = n.input_size / n.patch;
  const std::vector<std::int64_t> wanted = {1, side * side, n.width};
  const auto& stored = found->second;
  if (stored.shape != wanted) {
    refuse(shape_text(stored.shape) + " instead of " + shape_text(wanted));
  }
  const auto theirs = to_floats(stored.elements, stored.type);
  const auto table =
      position_table(side, side, static_cast<double>(side), n.interpolation, n.width);
  const float* ours = table.const_data_ptr<float>();
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (std::abs(double{theirs[i]} - double{ours[i]}) <= rounding_of(stored.type)) continue;
    refuse(format("value %zu is %g instead of %g", i, double{theirs[i]}, double{ours[i]}));
  }
}

}  // namespace evd::nn
