#include "nn/network.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/silu.h>

#include "core/error.hpp"
#include "nn/composed.hpp"
#include "nn/recompute.hpp"
#include "nn/weight_set.hpp"

namespace evd::nn {

at::Tensor position_table(std::int64_t rows, std::int64_t columns, double base,
                          double interpolation, int width) {
  const auto encode = [&](std::int64_t count) {
    // The original rounds the first division to float once and is exact from there on.
    const at::Tensor place =
        (at::arange(count, at::kFloat) / (static_cast<double>(count) / base)).to(at::kDouble) /
        interpolation;
    const at::Tensor omega =
        at::pow(10000.0, at::arange(width / 4, at::kDouble) / (width / 4)).reciprocal();
    const at::Tensor angle = place.unsqueeze(1) * omega.unsqueeze(0);
    return at::cat({angle.sin(), angle.cos()}, 1);  // (count, C / 2)
  };
  const at::Tensor column = encode(columns).unsqueeze(0);
  const at::Tensor row = encode(rows).unsqueeze(1);
  return at::cat(
             {column.expand({rows, columns, width / 2}), row.expand({rows, columns, width / 2})}, 2)
      .reshape({rows * columns, width})
      .to(at::kFloat);
}

at::Tensor timestep_table(const at::Tensor& timesteps) {
  constexpr int kHalf = 128;
  const at::Tensor rate = (at::arange(kHalf, at::kFloat) * -std::log(10000.0) / kHalf).exp();
  const at::Tensor angle = timesteps.to(at::kFloat).unsqueeze(1) * rate.to(timesteps.device());
  return at::cat({angle.cos(), angle.sin()}, 1);
}

struct Network::PositionCache {
  std::mutex mutex;
  std::map<std::pair<std::int64_t, std::int64_t>, at::Tensor> tables;
};

at::Tensor Network::positions(std::int64_t rows, std::int64_t columns) const {
  const auto& n = layout_.network();
  const std::lock_guard lock(position_cache_->mutex);
  at::Tensor& table = position_cache_->tables[{rows, columns}];
  if (!table.defined()) {
    const double base = static_cast<double>(n.input_size) / n.patch;
    table = position_table(rows, columns, base, n.interpolation, n.width)
                .to(flat_.options().dtype(stream_dtype()));
  }
  return table;
}

at::Tensor Network::Linear::operator()(const at::Tensor& x) const {
  return at::linear(x.to(weight.scalar_type()), weight, bias);
}

Network::Network(const Layout& layout, at::Tensor flat, Kernels kernels)
    : layout_(layout),
      flat_(std::move(flat)),
      kernels_(kernels),
      position_cache_(std::make_shared<PositionCache>()) {
  if (flat_.numel() < static_cast<std::int64_t>(layout_.size())) {
    throw InternalError("the flat parameter buffer does not have the layout's size");
  }
  auto* base = static_cast<std::byte*>(flat_.mutable_data_ptr());
  for (const auto& parameter : layout_.parameters()) {
    // Not views: autograd would tie all parameters to one version counter.
    parameters_.push_back(at::from_blob(base + parameter.offset * flat_.element_size(),
                                        parameter.shape, flat_.options()));
  }
  const auto& n = layout_.network();
  patch_ = linear("x_embedder.proj");
  time_ = embedder("t_embedder");
  if (n.multi_aspect) {
    size_ = embedder("csize_embedder");
    aspect_ = embedder("ar_embedder");
  }
  modulation_ = linear("t_block.1");
  caption1_ = linear("y_embedder.y_proj.fc1");
  caption2_ = linear("y_embedder.y_proj.fc2");
  head_ = linear("final_layer.linear");
  head_table_ = find("final_layer.scale_shift_table");
  for (int i = 0; i < n.depth; ++i) blocks_.push_back(block(i));
}

void Network::require_gradients() {
  for (auto& parameter : parameters_) parameter.requires_grad_(true);
}

const at::Tensor& Network::find(const std::string& name) const {
  const auto& wanted = layout_.find(name);
  return parameters_[static_cast<std::size_t>(&wanted - layout_.parameters().data())];
}

Network::Linear Network::linear(const std::string& name) const {
  return {find(name + ".weight"), find(name + ".bias")};
}

Network::Embedder Network::embedder(const std::string& name) const {
  return {linear(name + ".mlp.0"), linear(name + ".mlp.2")};
}

at::Tensor Network::Embedder::operator()(const at::Tensor& scalars, at::ScalarType dtype) const {
  return second(at::silu(first(timestep_table(scalars).to(dtype))));
}

Network::Block Network::block(int index) const {
  const std::string name = "blocks." + std::to_string(index) + ".";
  return {find(name + "scale_shift_table"),
          linear(name + "attn.qkv"),
          linear(name + "attn.proj"),
          linear(name + "cross_attn.q_linear"),
          linear(name + "cross_attn.kv_linear"),
          linear(name + "cross_attn.proj"),
          linear(name + "mlp.fc1"),
          linear(name + "mlp.fc2")};
}

TextKeys Network::states_of(const TextBatch& text) const {
  TextKeys keys;
  keys.lengths = text.lengths;
  keys.states = caption2_(gelu(caption1_(text.states), kernels_));  // (T, C)
  return keys;
}

TextKeys Network::keys_of(const TextBatch& text) const {
  TextKeys keys = states_of(text);
  for (const auto& block : blocks_) keys.kv.push_back(block.key_value(keys.states));
  keys.states.reset();
  return keys;
}

TextKeys joined(std::span<const TextKeys> batches) {
  TextKeys all;
  for (std::size_t block = 0; block < batches.front().kv.size(); ++block) {
    std::vector<at::Tensor> parts;
    for (const auto& batch : batches) parts.push_back(batch.kv[block]);
    all.kv.push_back(at::cat(parts));
  }
  for (const auto& batch : batches) {
    all.lengths.insert(all.lengths.end(), batch.lengths.begin(), batch.lengths.end());
  }
  return all;
}

at::Tensor Network::embed_picture(const at::Tensor& z) const {
  const auto& n = layout_.network();
  const std::int64_t rows = z.size(2) / n.patch;
  const std::int64_t columns = z.size(3) / n.patch;
  // The original's convolution has stride = kernel, so that it is a linear map of each patch.
  const at::Tensor patches = z.view({z.size(0), n.channels, rows, n.patch, columns, n.patch})
                                 .permute({0, 2, 4, 1, 3, 5})
                                 .reshape({z.size(0), rows * columns, -1});
  return Linear{patch_.weight.view({n.width, -1}), patch_.bias}(patches) + positions(rows, columns);
}

at::Tensor Network::embed_time(const at::Tensor& timesteps, const PictureShapes& shapes) const {
  const at::Tensor t = time_(timesteps, dtype());  // (B, C)
  if (!layout_.network().multi_aspect) return t;
  if (!shapes.size.defined() || !shapes.aspect.defined()) {
    throw InternalError("a multi-aspect network was not told its pictures' sizes and aspects");
  }
  const at::Tensor size = size_(shapes.size.flatten(), dtype()).view({t.size(0), -1});
  return t + at::cat({size, aspect_(shapes.aspect.flatten(), dtype())}, 1);
}

namespace {

AttentionLogits logits_of(const at::Tensor& qkv, const at::Tensor& query, const at::Tensor& kv,
                          std::span<const std::int64_t> lengths, int heads, HeadNorm self_norm,
                          HeadNorm cross_norm) {
  const auto own = qkv.chunk(3, 2);
  AttentionLogits found{composed::largest_logit(own[0], own[1], heads, self_norm), 0};
  std::int64_t first = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const at::Tensor keys = kv.narrow(0, first, lengths[i]).chunk(2, 1)[0].unsqueeze(0);
    const at::Tensor queries = query.narrow(0, static_cast<std::int64_t>(i), 1);
    found.cross = std::max(found.cross, composed::largest_logit(queries, keys, heads, cross_norm));
    first += lengths[i];
  }
  return found;
}

}  // namespace

at::Tensor Network::apply(const Block& block, const at::Tensor& x, const at::Tensor& t0,
                          const at::Tensor& kv, std::span<const std::int64_t> lengths,
                          const Padding& padding, AttentionLogits* logits) const {
  const auto& n = layout_.network();
  const int heads = n.width / n.head_dim;
  const auto self_norm = n.qk_norm == QkNorm::self_cross ? HeadNorm::layer_norm : HeadNorm::none;
  const auto cross_norm = n.qk_norm == QkNorm::none ? HeadNorm::none : HeadNorm::layer_norm;
  // shift, scale, gate of attention, then of the MLP: each (B, C)
  const auto m = (t0 + block.table.to(t0.scalar_type())).unbind(1);

  const at::Tensor qkv = block.qkv(norm_modulate(x, m[0], m[1], kernels_));
  at::Tensor h =
      x + block.attention_out(self_attention(qkv, heads, self_norm, kernels_)) * m[2].unsqueeze(1);

  // No norm before and no gate after: so it is in the original.
  const at::Tensor query = block.query(h);
  if (logits != nullptr) *logits = logits_of(qkv, query, kv, lengths, heads, self_norm, cross_norm);
  h = h +
      block.cross_out(cross_attention(query, kv, lengths, heads, cross_norm, kernels_, padding));

  const at::Tensor hidden = gelu(block.fc1(norm_modulate(h, m[3], m[4], kernels_)), kernels_);
  return h + block.fc2(hidden) * m[5].unsqueeze(1);
}

at::Tensor Network::to_picture(const at::Tensor& tokens, std::int64_t rows,
                               std::int64_t columns) const {
  const auto& n = layout_.network();
  const std::int64_t channels = layout_.out_channels();
  // A token's outputs are ordered (patch row, patch column, channel).
  return tokens.view({tokens.size(0), rows, columns, n.patch, n.patch, channels})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({tokens.size(0), channels, rows * n.patch, columns * n.patch});
}

at::Tensor Network::forward(const at::Tensor& z, const at::Tensor& timesteps, const TextKeys& text,
                            const PictureShapes& shapes) const {
  return pass(z, timesteps, text, shapes, nullptr);
}

std::vector<AttentionLogits> Network::attention_logits(const at::Tensor& z,
                                                       const at::Tensor& timesteps,
                                                       const TextKeys& text,
                                                       const PictureShapes& shapes) const {
  const at::NoGradGuard no_gradients;
  std::vector<AttentionLogits> logits(blocks_.size());
  static_cast<void>(pass(z, timesteps, text, shapes, &logits));
  return logits;
}

at::Tensor Network::pass(const at::Tensor& z, const at::Tensor& timesteps, const TextKeys& text,
                         const PictureShapes& shapes, std::vector<AttentionLogits>* logits) const {
  const auto& n = layout_.network();
  if (z.dim() != 4 || z.size(1) != n.channels || z.size(2) % n.patch != 0 ||
      z.size(3) % n.patch != 0 || text.lengths.size() != static_cast<std::size_t>(z.size(0))) {
    throw InternalError("pictures " + shape_text(z.sizes()) + " with " +
                        std::to_string(text.lengths.size()) + " texts do not fit the network");
  }
  const at::Tensor t = embed_time(timesteps, shapes);  // (B, C)
  const at::Tensor t0 = modulation_(at::silu(t)).to(stream_dtype()).view({t.size(0), 6, t.size(1)});
  at::Tensor x = embed_picture(z);  // (B, N, C)
  const Padding padding = z.is_cpu() ? Padding{} : padding_of(text.lengths, flat_.options());
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    AttentionLogits* found = logits == nullptr ? nullptr : &(*logits)[i];
    const bool makes_keys = text.kv.empty();
    const auto run = [this, &block = blocks_[i], lengths = text.lengths, padding, makes_keys,
                      found](const at::Tensor& x_in, const at::Tensor& t0_in,
                             const at::Tensor& keys) {
      return apply(block, x_in, t0_in, makes_keys ? block.key_value(keys) : keys, lengths, padding,
                   found);
    };
    const at::Tensor& keys = makes_keys ? text.states : text.kv[i];
    x = recomputes_ && at::GradMode::is_enabled() ? recomputed(run, x, t0, keys) : run(x, t0, keys);
  }
  // The head takes t itself, neither through t_block nor SiLU.
  const auto m = (t.unsqueeze(1).to(stream_dtype()) + head_table_.to(stream_dtype())).unbind(1);
  return to_picture(head_(norm_modulate(x, m[0], m[1], kernels_)), z.size(2) / n.patch,
                    z.size(3) / n.patch)
      .to(stream_dtype());
}

}  // namespace evd::nn
