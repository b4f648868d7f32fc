#include "nn/vae_layers.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>

#include "core/error.hpp"
#include "nn/norm_silu.hpp"
#include "nn/weight_tensor.hpp"

namespace evd::nn {
namespace {

constexpr double kEpsilon = 1e-6;                               // of every group norm
constexpr std::int64_t kWeightsAtOnce = std::int64_t{1} << 22;  // of an attention: 16 MiB in fp32

/// Sums of a kernel's taps (0, 1, 2) along `dim` that fall on the same pixel of the small map.
std::array<at::Tensor, 2> halves(const at::Tensor& kernel, std::int64_t dim) {
  const auto tap = [&](std::int64_t i) { return kernel.select(dim, i); };
  return {at::stack({tap(0), tap(1) + tap(2)}, dim), at::stack({tap(0) + tap(1), tap(2)}, dim)};
}

}  // namespace

at::Tensor VaeWeights::copy(const std::string& name, at::ScalarType as) const {
  const auto found = set.tensors().find(name);
  if (found == set.tensors().end()) throw InternalError("the VAE has no tensor " + name);
  return copy_of(found->second, as).to(device);
}

VaeConv::VaeConv(const VaeWeights& weights, const std::string& name, int padding_)
    : weight(weights.copy(name + ".weight", weights.dtype).contiguous(weights.format())),
      bias(weights.copy(name + ".bias", weights.dtype)),
      padding(padding_) {}

at::Tensor VaeConv::operator()(const at::Tensor& x) const {
  return at::conv2d(x, weight, bias, /*stride=*/1, padding);
}

VaeDownsampler::VaeDownsampler(const VaeWeights& weights, const std::string& name)
    : weight(weights.copy(name + ".weight", weights.dtype).contiguous(weights.format())),
      bias(weights.copy(name + ".bias", weights.dtype)) {}

at::Tensor VaeDownsampler::operator()(const at::Tensor& x) const {
  return at::conv2d(at::constant_pad_nd(x, {0, 1, 0, 1}), weight, bias, /*stride=*/2);
}

VaeUpsampler::VaeUpsampler(const VaeWeights& weights, const std::string& name)
    : bias(weights.copy(name + ".bias", weights.dtype)) {
  const auto rows = halves(weights.copy(name + ".weight", at::kDouble), 2);
  for (std::size_t row = 0; row < 2; ++row) {
    const auto both = halves(rows[row], 3);
    for (std::size_t column = 0; column < 2; ++column) {
      phases[2 * row + column] = both[column].to(weights.dtype).contiguous(weights.format());
    }
  }
}

at::Tensor VaeUpsampler::operator()(const at::Tensor& x) const {
  const std::int64_t height = x.size(2);
  const std::int64_t width = x.size(3);
  at::Tensor out = at::empty({x.size(0), bias.size(0), 2 * height, 2 * width}, x.options(),
                             x.suggest_memory_format());
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t column = 0; column < 2; ++column) {
      // Padded around, a kernel of side 2 has one place more than the map in each direction: phase
      // 0 begins at the first, phase 1 at the second.
      const at::Tensor all =
          at::conv2d(x, phases[static_cast<std::size_t>(2 * row + column)], bias, 1, 1);
      out.slice(2, row, 2 * height, 2)
          .slice(3, column, 2 * width, 2)
          .copy_(all.narrow(2, row, height).narrow(3, column, width));
    }
  }
  return out;
}

VaeNorm::VaeNorm(const VaeWeights& weights, const std::string& name)
    : weight(weights.copy(name + ".weight", weights.dtype)),
      bias(weights.copy(name + ".bias", weights.dtype)),
      groups(weights.groups) {}

at::Tensor VaeNorm::operator()(const at::Tensor& x) const {
  return group_norm(x, groups, weight, bias, kEpsilon);
}

at::Tensor VaeNorm::with_silu(const at::Tensor& x) const {
  return norm_silu(x, groups, weight, bias, kEpsilon);
}

VaeResnet::VaeResnet(const VaeWeights& weights, const std::string& name)
    : norm1(weights, name + ".norm1"),
      conv1(weights, name + ".conv1"),
      norm2(weights, name + ".norm2"),
      conv2(weights, name + ".conv2") {
  if (weights.has(name + ".conv_shortcut.weight")) {
    shortcut.emplace(weights, name + ".conv_shortcut", 0);
  }
}

at::Tensor VaeResnet::operator()(const at::Tensor& x) const {
  at::Tensor h = conv1(norm1.with_silu(x));
  h = conv2(norm2.with_silu(h));
  return h.add_(shortcut ? (*shortcut)(x) : x);
}

VaeAttention::VaeAttention(const VaeWeights& weights, const std::string& name)
    : norm(weights, name + ".group_norm"),
      out_weight(weights.copy(name + ".to_out.0.weight", weights.dtype)),
      out_bias(weights.copy(name + ".to_out.0.bias", weights.dtype)) {
  std::vector<at::Tensor> matrices;
  std::vector<at::Tensor> biases;
  for (const auto* layer : {".to_q", ".to_k", ".to_v"}) {
    matrices.push_back(weights.copy(name + layer + ".weight", weights.dtype));
    biases.push_back(weights.copy(name + layer + ".bias", weights.dtype));
  }
  qkv_weight = at::cat(matrices);
  qkv_bias = at::cat(biases);
}

at::Tensor VaeAttention::operator()(const at::Tensor& x) const {
  const std::int64_t batch = x.size(0);
  const std::int64_t channels = x.size(1);
  const std::int64_t places = x.size(2) * x.size(3);
  const std::int64_t chunk = std::clamp<std::int64_t>(kWeightsAtOnce / places, 1, places);
  at::Tensor out = at::empty({batch, places, channels}, x.options());
  for (std::int64_t sample = 0; sample < batch; ++sample) {
    const at::Tensor tokens =
        norm(x.narrow(0, sample, 1)).permute({0, 2, 3, 1}).reshape({places, channels});
    const auto qkv = at::linear(tokens, qkv_weight, qkv_bias).chunk(3, 1);  // (N, C) each
    const at::Tensor query = qkv[0] / std::sqrt(static_cast<double>(channels));
    for (std::int64_t first = 0; first < places; first += chunk) {
      const std::int64_t count = std::min(chunk, places - first);
      const at::Tensor weights =
          at::softmax(at::matmul(query.narrow(0, first, count), qkv[1].t()), -1);
      out[sample].narrow(0, first, count).copy_(at::matmul(weights, qkv[2]));
    }
  }
  return at::linear(out, out_weight, out_bias)
      .view({batch, x.size(2), x.size(3), channels})
      .permute({0, 3, 1, 2})
      .add(x);
}

VaeMiddle::VaeMiddle(const VaeWeights& weights, const std::string& name)
    : first(weights, name + ".resnets.0"), second(weights, name + ".resnets.1") {
  if (weights.has(name + ".attentions.0.to_q.weight")) {
    attention.emplace(weights, name + ".attentions.0");
  }
}

at::Tensor VaeMiddle::operator()(at::Tensor x) const {
  x = first(x);
  if (attention) x = (*attention)(x);
  return second(x);
}

}  // namespace evd::nn
