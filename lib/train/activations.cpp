#include "train/activations.hpp"

namespace evd::train {
namespace {

// Beyond this many keys attention keeps no weights, but the normalised queries and keys
// (nn/fused.cpp).
constexpr std::int64_t kMostFusedKeys = 128;
// What the C library's allocator holds between tensors that came and went, measured.
constexpr double kAllocator = 1.12;
constexpr std::int64_t kLanes = 16;  // rows of kept weights are padded to vectors

double padded(double keys) {
  return static_cast<double>((static_cast<std::int64_t>(keys) + kLanes - 1) / kLanes * kLanes);
}

/// Elements that one block keeps for backward; in units of a (B, N, C) tensor first.
double kept_by_block(const nn::NetworkOptions& n, const PassShape& s) {
  const double unit = static_cast<double>(s.samples * s.tokens) * n.width;
  const double text = static_cast<double>(s.text_tokens) * n.width;
  const double heads = static_cast<double>(n.width) / n.head_dim;
  const double rows = static_cast<double>(s.samples * s.tokens) * heads;
  const double words =
      s.samples == 0 ? 0 : static_cast<double>(s.text_tokens) / static_cast<double>(s.samples);
  // First norm's output; queries, keys, values; mixed values; projected; the sum.
  double units = 1 + 3 + 1 + 1 + 1;
  // Cross-attention: queries, mixed values, the sum. MLP: norm's output, what fc1 and GELU give,
  // what fc2 gives, the sum.
  units += 3 + 1 + 2 * n.mlp_ratio + 1 + 1;
  double others = 2 * text;  // keys and values of the texts
  if (s.tokens > kMostFusedKeys) {
    units += n.qk_norm == nn::QkNorm::self_cross ? 2 : 0;
    others += rows;
  } else {
    others += rows * padded(static_cast<double>(s.tokens));
  }
  others += rows * padded(words);
  return units * unit + others;
}

}  // namespace

double activation_bytes(const nn::NetworkOptions& n, const nn::DiffusionOptions& d,
                        const PassShape& s, Recompute recompute, double element_bytes) {
  const double unit = static_cast<double>(s.samples * s.tokens) * n.width;
  const double picture = static_cast<double>(s.samples * s.tokens) * n.patch * n.patch * n.channels;
  const double text = static_cast<double>(s.text_tokens);
  const double block = kept_by_block(n, s);
  double elements = recompute == Recompute::block ? n.depth * unit + block : n.depth * block;
  // Gradients of the block under work: of the MLP's hidden layer before and after GELU, of its
  // input and of the residual stream.
  elements += (2 * n.mlp_ratio + 2) * unit;
  // Both ends: patches, the head's norm, output, picture, noise, the loss.
  elements += 2 * unit + picture * (d.learned_variance ? 30 : 8);
  // Text states and the two layers of the caption's projection.
  elements += text * (n.caption_width + 3.0 * n.width);
  return kAllocator * elements * element_bytes;
}

}  // namespace evd::train
