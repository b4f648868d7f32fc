#include "nn/network.hpp"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>

#include "core/error.hpp"

namespace evd::nn {

at::Tensor position_table(int rows, int columns, double base_rows, double base_columns,
                          double interpolation, int width) {
  const auto encode = [&](int count, double base) {
    // The original rounds the first division to float once and is exact from there on.
    const at::Tensor place =
        (at::arange(count, at::kFloat) / static_cast<float>(count / base)).to(at::kDouble) /
        interpolation;
    const at::Tensor omega =
        (at::arange(width / 4, at::kDouble) * (-std::log(10000.0) / (width / 4))).exp();
    const at::Tensor angle = place.unsqueeze(1) * omega.unsqueeze(0);
    return at::cat({angle.sin(), angle.cos()}, 1);  // (count, C / 2)
  };
  const at::Tensor column = encode(columns, base_columns).unsqueeze(0);
  const at::Tensor row = encode(rows, base_rows).unsqueeze(1);
  return at::cat(
             {column.expand({rows, columns, width / 2}), row.expand({rows, columns, width / 2})}, 2)
      .reshape({rows * columns, width});
}

at::Tensor timestep_table(const at::Tensor& timesteps) {
  constexpr int kHalf = 128;
  const at::Tensor rate = (at::arange(kHalf, at::kDouble) * (-std::log(10000.0) / kHalf)).exp();
  const at::Tensor angle = timesteps.to(at::kDouble).unsqueeze(1) * rate.unsqueeze(0);
  return at::cat({angle.cos(), angle.sin()}, 1);
}

at::Tensor Network::Linear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight, bias);
}

Network::Network(const Layout& layout, at::Tensor flat, Kernels kernels)
    : layout_(layout), flat_(std::move(flat)), kernels_(kernels) {
  if (flat_.numel() != static_cast<std::int64_t>(layout_.size())) {
    throw InternalError("the flat parameter buffer does not have the layout's size");
  }
  auto* base = static_cast<std::byte*>(flat_.mutable_data_ptr());
  for (const auto& parameter : layout_.parameters()) {
    // Not views: autograd would tie all parameters to one version counter.
    parameters_.push_back(at::from_blob(base + parameter.offset * flat_.element_size(),
                                        parameter.shape, flat_.options()));
  }
  const auto& n = layout_.network();
  const int side = n.input_size / n.patch;
  positions_ = position_table(side, side, side, side, 1.0, n.width).to(dtype());
  patch_ = linear("x_embedder.proj");
  time1_ = linear("t_embedder.mlp.0");
  time2_ = linear("t_embedder.mlp.2");
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

TextKeys Network::keys_of(const TextBatch& text) const {
  const at::Tensor states = caption2_(gelu(caption1_(text.states), kernels_));  // (B, L, C)
  TextKeys keys;
  keys.bias = text.bias;
  for (const auto& block : blocks_) keys.kv.push_back(block.key_value(states));
  return keys;
}

at::Tensor Network::embed_picture(const at::Tensor& z) const {
  const auto& n = layout_.network();
  const std::int64_t side = n.input_size / n.patch;
  // The original's convolution has stride = kernel, so that it is a linear map of each patch.
  const at::Tensor patches = z.view({z.size(0), n.channels, side, n.patch, side, n.patch})
                                 .permute({0, 2, 4, 1, 3, 5})
                                 .reshape({z.size(0), side * side, -1});
  return at::linear(patches, patch_.weight.view({n.width, -1}), patch_.bias) + positions_;
}

at::Tensor Network::embed_time(const at::Tensor& timesteps) const {
  return time2_(at::silu(time1_(timestep_table(timesteps).to(dtype()))));  // (B, C)
}

at::Tensor Network::apply(const Block& block, const at::Tensor& x, const at::Tensor& t0,
                          const at::Tensor& kv, const at::Tensor& bias) const {
  const auto& n = layout_.network();
  const int heads = n.width / n.head_dim;
  const auto self_norm = n.qk_norm == QkNorm::self_cross ? HeadNorm::layer_norm : HeadNorm::none;
  const auto cross_norm = n.qk_norm == QkNorm::none ? HeadNorm::none : HeadNorm::layer_norm;
  // shift, scale, gate of attention, then of the MLP: each (B, C)
  const auto m = (t0 + block.table).unbind(1);

  const at::Tensor qkv = block.qkv(norm_modulate(x, m[0], m[1], kernels_));
  at::Tensor h =
      x + block.attention_out(self_attention(qkv, heads, self_norm, kernels_)) * m[2].unsqueeze(1);

  // No norm before and no gate after: so it is in the original.
  h = h + block.cross_out(cross_attention(block.query(h), kv, bias, heads, cross_norm, kernels_));

  const at::Tensor hidden = gelu(block.fc1(norm_modulate(h, m[3], m[4], kernels_)), kernels_);
  return h + block.fc2(hidden) * m[5].unsqueeze(1);
}

at::Tensor Network::to_picture(const at::Tensor& tokens) const {
  const auto& n = layout_.network();
  const std::int64_t side = n.input_size / n.patch;
  const std::int64_t channels = layout_.out_channels();
  // A token's outputs are ordered (patch row, patch column, channel).
  return tokens.view({tokens.size(0), side, side, n.patch, n.patch, channels})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({tokens.size(0), channels, n.input_size, n.input_size});
}

at::Tensor Network::forward(const at::Tensor& z, const at::Tensor& timesteps,
                            const TextKeys& text) const {
  const at::Tensor t = embed_time(timesteps);  // (B, C)
  const at::Tensor t0 = modulation_(at::silu(t)).view({t.size(0), 6, t.size(1)});
  at::Tensor x = embed_picture(z);  // (B, N, C)
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    x = apply(blocks_[i], x, t0, text.kv[i], text.bias);
  }
  // The head takes t itself, neither through t_block nor SiLU.
  const auto m = (t.unsqueeze(1) + head_table_).unbind(1);
  return to_picture(head_(norm_modulate(x, m[0], m[1], kernels_)));
}

}  // namespace evd::nn
