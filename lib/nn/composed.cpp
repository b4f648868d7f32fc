#include "nn/composed.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>

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

}  // namespace evd::nn::composed
