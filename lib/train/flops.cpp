#include "train/flops.hpp"

namespace evd::train {
namespace {

double block_flops(const nn::NetworkOptions& n, const PassShape& shape) {
  const double width = n.width;
  const double pictures = static_cast<double>(shape.samples * shape.tokens);
  const double texts = static_cast<double>(shape.text_tokens);
  const double tokens = static_cast<double>(shape.tokens);
  const double hidden = width * n.mlp_ratio;
  const double self = pictures * (2 * width * 3 * width + 2 * width * width + 4 * tokens * width);
  const double cross =
      pictures * 2 * 2 * width * width + texts * 2 * width * 2 * width + texts * tokens * 4 * width;
  return self + cross + pictures * 4 * width * hidden;
}

}  // namespace

std::int64_t tokens_of(const nn::NetworkOptions& n) {
  const std::int64_t side = n.input_size / n.patch;
  return side * side;
}

double forward_flops(const nn::NetworkOptions& n, const nn::DiffusionOptions& d,
                     const PassShape& shape) {
  const double width = n.width;
  const double samples = static_cast<double>(shape.samples);
  const double pictures = samples * static_cast<double>(shape.tokens);
  const double patch = static_cast<double>(n.patch) * n.patch * n.channels;
  const double ends = pictures * 2 * width * patch * (d.learned_variance ? 3 : 2);
  const double time = samples * 2 * (256 * width + width * width + width * 6 * width);
  const double caption =
      static_cast<double>(shape.text_tokens) * 2 * width * (n.caption_width + width);
  return n.depth * block_flops(n, shape) + ends + time + caption;
}

double training_flops(const nn::NetworkOptions& n, const nn::DiffusionOptions& d,
                      const PassShape& shape, Recompute recompute) {
  const double again = recompute == Recompute::block ? n.depth * block_flops(n, shape) : 0;
  return 3 * forward_flops(n, d, shape) + again;
}

}  // namespace evd::train
