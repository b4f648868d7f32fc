#include "nn/composed.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

namespace evd::nn::composed {
namespace {

at::Tensor normalise(const at::Tensor& x) { return at::layer_norm(x, {x.size(-1)}, {}, {}, 1e-6); }

}  // namespace

at::Tensor norm_modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return normalise(x) * (scale + 1).unsqueeze(1) + shift.unsqueeze(1);
}

at::Tensor gelu(const at::Tensor& x) { return at::gelu(x, "tanh"); }

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const at::Tensor& bias, int heads, HeadNorm norm) {
  const auto split = [&](const at::Tensor& x) {
    return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
  };
  at::Tensor queries = split(q);  // (B, heads, N, d)
  at::Tensor keys = split(k);     // (B, heads, L, d)
  if (norm == HeadNorm::layer_norm) {
    queries = normalise(queries);
    keys = normalise(keys);
  }
  const at::Tensor mixed = at::scaled_dot_product_attention(
      queries, keys, split(v), bias.defined() ? std::optional(bias) : std::nullopt);
  return mixed.transpose(1, 2).reshape({q.size(0), q.size(1), q.size(2)});
}

double largest_logit(const at::Tensor& q, const at::Tensor& k, int heads, HeadNorm norm) {
  const auto split = [&](const at::Tensor& x) {
    const at::Tensor all = x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
    return (norm == HeadNorm::layer_norm ? normalise(all) : all).to(at::kFloat);
  };
  const at::Tensor queries = split(q);
  const at::Tensor keys = split(k);
  double largest = 0;
  for (std::int64_t i = 0; i < q.size(0); ++i) {
    const at::Tensor logits = at::matmul(queries[i], keys[i].transpose(1, 2));
    largest = std::max(largest, logits.abs().max().item<double>());
  }
  return largest / std::sqrt(static_cast<double>(q.size(2) / heads));
}

at::Tensor cross_attention(const at::Tensor& q, const at::Tensor& kv,
                           std::span<const std::int64_t> lengths, int heads, HeadNorm norm) {
  std::vector<at::Tensor> mixed;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto parts = kv.narrow(0, first, lengths[i]).unsqueeze(0).chunk(2, 2);
    mixed.push_back(attention(q.narrow(0, static_cast<std::int64_t>(i), 1), parts[0], parts[1], {},
                              heads, norm));
    first += lengths[i];
  }
  return at::cat(mixed);
}

at::Tensor padded_cross_attention(const at::Tensor& q, const at::Tensor& kv, const Padding& padding,
                                  int heads, HeadNorm norm) {
  const auto padded =
      kv.index_select(0, padding.tokens).view({q.size(0), -1, kv.size(1)}).chunk(2, 2);
  return attention(q, padded[0], padded[1], padding.bias, heads, norm);
}

}  // namespace evd::nn::composed

namespace evd::nn {

Padding padding_of(std::span<const std::int64_t> lengths, const at::TensorOptions& place) {
  const auto count = static_cast<std::int64_t>(lengths.size());
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  at::Tensor tokens = at::zeros({count, longest}, at::kLong);
  at::Tensor bias = at::zeros({count, 1, 1, longest}, at::kDouble);
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t length = lengths[static_cast<std::size_t>(i)];
    tokens.select(0, i).narrow(0, 0, length).copy_(at::arange(first, first + length));
    tokens.select(0, i).narrow(0, length, longest - length).fill_(first);
    bias.select(0, i).narrow(2, length, longest - length).fill_(-INFINITY);
    first += length;
  }
  return {tokens.flatten().to(place.device()), bias.to(place)};
}

}  // namespace evd::nn
