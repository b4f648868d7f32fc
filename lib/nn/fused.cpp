#include "nn/fused.hpp"

#include <algorithm>
#include <vector>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/composed.hpp"
#include "nn/kernels.hpp"

namespace evd::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Beyond this many keys a blocked attention is the better one.
constexpr std::int64_t kMaxKeys = 128;

bool is_fused(const at::Tensor& x, Kernels kernels) {
  return kernels == Kernels::fused && x.is_cpu() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

std::size_t count(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Runs work<T>(begin, end) over the samples of a batch, on the threads there are.
template <class Work>
void over_samples(const at::Tensor& x, const Work& work) {
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "fused", [&] {
    at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) work(scalar_t{}, b);
    });
  });
}

template <class T>
const T* sample(const at::Tensor& x, std::int64_t b) {
  return x.const_data_ptr<T>() + b * x.stride(0);
}
template <class T>
T* sample_of(at::Tensor& x, std::int64_t b) {
  return x.mutable_data_ptr<T>() + b * x.stride(0);
}

struct NormModulate : Function<NormModulate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& shift_in, const at::Tensor& scale_in) {
    const at::Tensor x = x_in.contiguous();
    const at::Tensor shift = shift_in.contiguous();
    const at::Tensor scale = scale_in.contiguous();
    at::Tensor y = at::empty_like(x);
    over_samples(x, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      norm_modulate_forward(sample<T>(x, b), sample<T>(shift, b), sample<T>(scale, b),
                            sample_of<T>(y, b), count(x.size(1)), count(x.size(2)));
    });
    context->save_for_backward({x, scale});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto& x = saved[0];
    const auto& scale = saved[1];
    const at::Tensor gy = gradients[0].contiguous();
    at::Tensor gx = at::empty_like(x);
    at::Tensor d_shift = at::empty_like(scale);
    at::Tensor d_scale = at::empty_like(scale);
    over_samples(x, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      norm_modulate_backward(sample<T>(x, b), sample<T>(scale, b), sample<T>(gy, b),
                             sample_of<T>(gx, b), sample_of<T>(d_shift, b),
                             sample_of<T>(d_scale, b), count(x.size(1)), count(x.size(2)));
    });
    return {gx, d_shift, d_scale};
  }
};

struct GeluFunction : Function<GeluFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in) {
    const at::Tensor x = x_in.contiguous();
    at::Tensor y = at::empty_like(x);
    over_samples(x, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      gelu_forward(sample<T>(x, b), sample_of<T>(y, b), count(x.numel() / x.size(0)));
    });
    context->save_for_backward({x});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto& x = saved[0];
    const at::Tensor gy = gradients[0].contiguous();
    at::Tensor gx = at::empty_like(x);
    over_samples(x, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      gelu_backward(sample<T>(x, b), sample<T>(gy, b), sample_of<T>(gx, b),
                    count(x.numel() / x.size(0)));
    });
    return {gx};
  }
};

/// Where the heads of each sample lie in q (B, N, ..) and in packed keys and values: those of a
/// text (T, 2 C), or q itself (B, N, 3 C), where they follow the queries.
struct Setting {
  std::int64_t heads = 1;
  HeadNorm norm = HeadNorm::none;
  std::vector<std::int64_t> lengths;  ///< tokens of each text; empty = self-attention
  [[nodiscard]] bool is_self() const { return lengths.empty(); }
};

struct Heads {
  Heads(const at::Tensor& q, const at::Tensor& kv, const Setting& setting)
      : heads(setting.heads),
        width(kv.size(-1) / (setting.is_self() ? 3 : 2)),
        offset(setting.is_self() ? width : 0) {
    HeadShape shape;
    shape.queries = count(q.size(1));
    shape.size = count(width / heads);
    shape.q_stride = count(q.stride(1));
    shape.kv_stride = count(kv.size(-1));
    shape.out_stride = count(width);
    shape.normalise = setting.norm == HeadNorm::layer_norm;
    for (std::int64_t b = 0; b < q.size(0); ++b) {
      shape.keys = count(setting.is_self() ? q.size(1) : setting.lengths[count(b)]);
      shapes.push_back(shape);
      first_key.push_back(rows);
      first_weight.push_back(weights);
      rows += static_cast<std::int64_t>(shape.keys);
      weights += heads * static_cast<std::int64_t>(kept_weights(shape));
    }
  }
  std::int64_t heads;
  std::int64_t width;
  std::int64_t offset;                  // of the keys within a row
  std::vector<HeadShape> shapes;        // of each sample
  std::vector<std::int64_t> first_key;  // row of keys and values at which a sample begins
  std::vector<std::int64_t> first_weight;
  std::int64_t rows = 0;
  std::int64_t weights = 0;  // kept for backward, of all samples
};

/// One function for both kinds: self-attention has q and kv in one tensor.
struct Attention : Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_in,
                            const at::Tensor& kv_in, const Setting& setting) {
    const at::Tensor q = q_in.contiguous();
    const at::Tensor kv = setting.is_self() ? q : kv_in.contiguous();
    const Heads h(q, kv, setting);
    at::Tensor out = at::empty({q.size(0), q.size(1), h.width}, q.options());
    at::Tensor weights = at::empty({h.weights}, q.options());
    over_samples(q, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      const auto& shape = h.shapes[count(b)];
      const T* keys = kv.const_data_ptr<T>() + h.first_key[count(b)] * kv.size(-1) + h.offset;
      T* kept = weights.mutable_data_ptr<T>() + h.first_weight[count(b)];
      for (std::int64_t i = 0; i < h.heads; ++i) {
        const auto at = i * static_cast<std::int64_t>(shape.size);
        attention_forward(shape, sample<T>(q, b) + at, keys + at, keys + h.width + at,
                          sample_of<T>(out, b) + at, kept + count(i) * kept_weights(shape));
      }
    });
    context->save_for_backward(setting.is_self() ? variable_list{q, weights}
                                                 : variable_list{q, weights, kv});
    context->saved_data["heads"] = setting.heads;
    context->saved_data["norm"] = static_cast<std::int64_t>(setting.norm);
    context->saved_data["lengths"] = setting.lengths;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Setting setting{context->saved_data["heads"].toInt(),
                          static_cast<HeadNorm>(context->saved_data["norm"].toInt()),
                          context->saved_data["lengths"].toIntVector()};
    const auto& q = saved[0];
    const auto& weights = saved[1];
    const auto& kv = setting.is_self() ? q : saved[2];
    const at::Tensor g_out = gradients[0].contiguous();
    const Heads h(q, kv, setting);
    at::Tensor gq = at::empty_like(q);
    at::Tensor gkv = setting.is_self() ? gq : at::empty_like(kv);
    over_samples(q, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      const auto& shape = h.shapes[count(b)];
      const std::int64_t first = h.first_key[count(b)] * kv.size(-1) + h.offset;
      const T* keys = kv.const_data_ptr<T>() + first;
      T* g_keys = gkv.mutable_data_ptr<T>() + first;
      const T* kept = weights.const_data_ptr<T>() + h.first_weight[count(b)];
      for (std::int64_t i = 0; i < h.heads; ++i) {
        const auto at = i * static_cast<std::int64_t>(shape.size);
        attention_backward(shape, sample<T>(q, b) + at, keys + at, keys + h.width + at,
                           kept + count(i) * kept_weights(shape), sample<T>(g_out, b) + at,
                           sample_of<T>(gq, b) + at, g_keys + at, g_keys + h.width + at);
      }
    });
    return {gq, setting.is_self() ? at::Tensor() : gkv, {}};
  }
};

}  // namespace

at::Tensor norm_modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale,
                         Kernels kernels) {
  if (!is_fused(x, kernels)) return composed::norm_modulate(x, shift, scale);
  RECORD_FUNCTION("evd::norm_modulate", {});
  return NormModulate::apply(x, shift, scale);
}

at::Tensor gelu(const at::Tensor& x, Kernels kernels) {
  if (!is_fused(x, kernels)) return composed::gelu(x);
  RECORD_FUNCTION("evd::gelu", {});
  return GeluFunction::apply(x);
}

at::Tensor self_attention(const at::Tensor& qkv, int heads, HeadNorm norm, Kernels kernels) {
  if (!is_fused(qkv, kernels) || qkv.size(1) > kMaxKeys) {
    const auto parts = qkv.chunk(3, 2);
    return composed::attention(parts[0], parts[1], parts[2], {}, heads, norm);
  }
  RECORD_FUNCTION("evd::self_attention", {});
  return Attention::apply(qkv, qkv, Setting{heads, norm, {}});
}

at::Tensor cross_attention(const at::Tensor& q, const at::Tensor& kv,
                           std::span<const std::int64_t> lengths, int heads, HeadNorm norm,
                           Kernels kernels, const Padding& padding) {
  if (padding.tokens.defined()) {
    return composed::padded_cross_attention(q, kv, padding, heads, norm);
  }
  if (!is_fused(q, kernels) || *std::max_element(lengths.begin(), lengths.end()) > kMaxKeys) {
    return composed::cross_attention(q, kv, lengths, heads, norm);
  }
  RECORD_FUNCTION("evd::cross_attention", {});
  return Attention::apply(q, kv, Setting{heads, norm, {lengths.begin(), lengths.end()}});
}

}  // namespace evd::nn
