#include "nn/fused.hpp"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
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
      gelu_forward(sample<T>(x, b), sample_of<T>(y, b), count(x.stride(0)));
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
      gelu_backward(sample<T>(x, b), sample<T>(gy, b), sample_of<T>(gx, b), count(x.stride(0)));
    });
    return {gx};
  }
};

/// Where the heads of one sample lie in q (.., C) and in packed keys and values.
struct Heads {
  Heads(const at::Tensor& q, const at::Tensor& kv, int heads_, bool is_self, HeadNorm norm)
      : heads(heads_), width(kv.size(2) / (is_self ? 3 : 2)), offset(is_self ? width : 0) {
    shape.queries = count(q.size(1));
    shape.keys = count(kv.size(1));
    shape.size = count(width / heads);
    shape.q_stride = count(q.stride(1));
    shape.kv_stride = count(kv.stride(1));
    shape.out_stride = count(width);
    shape.normalise = norm == HeadNorm::layer_norm;
  }
  std::int64_t heads;
  std::int64_t width;
  std::int64_t offset;  // of the keys within a row
  HeadShape shape;
};

/// What attention needs beside its inputs. The bias is in here because autograd takes no undefined
/// tensors.
struct Setting {
  std::int64_t heads = 1;
  bool is_self = false;
  HeadNorm norm = HeadNorm::none;
  at::Tensor bias;
};

/// One function for both kinds: self-attention has q and kv in one tensor.
struct Attention : Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_in,
                            const at::Tensor& kv_in, const Setting& setting) {
    const std::int64_t heads = setting.heads;
    const bool is_self = setting.is_self;
    const HeadNorm norm = setting.norm;
    const at::Tensor q = q_in.contiguous();
    const at::Tensor kv = is_self ? q : kv_in.contiguous();
    const at::Tensor bias = setting.bias.defined() ? setting.bias.contiguous() : setting.bias;
    const Heads h(q, kv, static_cast<int>(heads), is_self, norm);
    at::Tensor out = at::empty({q.size(0), q.size(1), h.width}, q.options());
    const std::size_t kept = kept_weights(h.shape);
    at::Tensor weights =
        at::empty({q.size(0), heads * static_cast<std::int64_t>(kept)}, q.options());
    over_samples(q, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      const T* keys = sample<T>(kv, b) + h.offset;
      const T* mask = bias.defined() ? sample<T>(bias, b) : nullptr;
      for (std::int64_t i = 0; i < heads; ++i) {
        const auto at = i * static_cast<std::int64_t>(h.shape.size);
        attention_forward(h.shape, sample<T>(q, b) + at, keys + at, keys + h.width + at, mask,
                          sample_of<T>(out, b) + at,
                          sample_of<T>(weights, b) + i * static_cast<std::int64_t>(kept));
      }
    });
    context->save_for_backward(is_self ? variable_list{q, weights} : variable_list{q, weights, kv});
    context->saved_data["heads"] = heads;
    context->saved_data["is_self"] = is_self;
    context->saved_data["norm"] = static_cast<std::int64_t>(norm);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto heads = context->saved_data["heads"].toInt();
    const bool is_self = context->saved_data["is_self"].toBool();
    const auto norm = static_cast<HeadNorm>(context->saved_data["norm"].toInt());
    const auto& q = saved[0];
    const auto& weights = saved[1];
    const auto& kv = is_self ? q : saved[2];
    const at::Tensor g_out = gradients[0].contiguous();
    const Heads h(q, kv, static_cast<int>(heads), is_self, norm);
    const auto kept = static_cast<std::int64_t>(kept_weights(h.shape));
    at::Tensor gq = at::empty_like(q);
    at::Tensor gkv = is_self ? gq : at::empty_like(kv);
    over_samples(q, [&](auto zero, std::int64_t b) {
      using T = decltype(zero);
      const T* keys = sample<T>(kv, b) + h.offset;
      T* g_keys = sample_of<T>(gkv, b) + h.offset;
      for (std::int64_t i = 0; i < heads; ++i) {
        const auto at = i * static_cast<std::int64_t>(h.shape.size);
        attention_backward(h.shape, sample<T>(q, b) + at, keys + at, keys + h.width + at,
                           sample<T>(weights, b) + i * kept, sample<T>(g_out, b) + at,
                           sample_of<T>(gq, b) + at, g_keys + at, g_keys + h.width + at);
      }
    });
    return {gq, is_self ? at::Tensor() : gkv, {}};
  }
};

}  // namespace

at::Tensor norm_modulate(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale,
                         Kernels kernels) {
  if (!is_fused(x, kernels)) return composed::norm_modulate(x, shift, scale);
  return NormModulate::apply(x, shift, scale);
}

at::Tensor gelu(const at::Tensor& x, Kernels kernels) {
  return is_fused(x, kernels) ? GeluFunction::apply(x) : composed::gelu(x);
}

at::Tensor self_attention(const at::Tensor& qkv, int heads, HeadNorm norm, Kernels kernels) {
  if (!is_fused(qkv, kernels) || qkv.size(1) > kMaxKeys) {
    const auto parts = qkv.chunk(3, 2);
    return composed::attention(parts[0], parts[1], parts[2], {}, heads, norm);
  }
  return Attention::apply(qkv, qkv, Setting{heads, true, norm, {}});
}

at::Tensor cross_attention(const at::Tensor& q, const at::Tensor& kv, const at::Tensor& bias,
                           int heads, HeadNorm norm, Kernels kernels) {
  if (!is_fused(q, kernels) || kv.size(1) > kMaxKeys) {
    const auto parts = kv.chunk(2, 2);
    return composed::attention(q, parts[0], parts[1], bias, heads, norm);
  }
  return Attention::apply(q, kv, Setting{heads, false, norm, bias});
}

}  // namespace evd::nn
