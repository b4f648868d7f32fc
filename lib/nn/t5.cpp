#include "nn/t5.hpp"

#include <algorithm>
#include <array>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include "core/error.hpp"
#include "nn/weight_tensor.hpp"

namespace evd::nn {
namespace {

constexpr const char* kShared = "shared.weight";
constexpr const char* kEmbedTokens = "encoder.embed_tokens.weight";
constexpr const char* kFinalNorm = "encoder.final_layer_norm.weight";

std::string block(int index) { return "encoder.block." + std::to_string(index) + ".layer."; }

std::string position_bias_name() {
  return block(0) + "0.SelfAttention.relative_attention_bias.weight";
}

/// A whole T5's checkpoint holds the decoder too.
WeightSet encoder_part(const WeightSet& set) {
  WeightSet::Tensors kept;
  for (const auto& [name, tensor] : set.tensors()) {
    if (!name.starts_with("decoder.") && name != "lm_head.weight") kept.emplace(name, tensor);
  }
  return set.with(std::move(kept), nullptr);
}

std::vector<WantedTensor> wanted_of(const T5Options& o, const std::string& embedding) {
  const std::int64_t inner = std::int64_t{o.heads} * o.d_kv;
  std::vector<WantedTensor> wanted = {{embedding, {o.vocab, o.d_model}},
                                      {position_bias_name(), {o.buckets, o.heads}},
                                      {kFinalNorm, {o.d_model}}};
  for (int i = 0; i < o.layers; ++i) {
    const std::string attention = block(i) + "0.";
    const std::string mlp = block(i) + "1.";
    wanted.push_back({attention + "layer_norm.weight", {o.d_model}});
    for (const char* part : {"q", "k", "v"}) {
      wanted.push_back({attention + "SelfAttention." + part + ".weight", {inner, o.d_model}});
    }
    wanted.push_back({attention + "SelfAttention.o.weight", {o.d_model, inner}});
    wanted.push_back({mlp + "layer_norm.weight", {o.d_model}});
    wanted.push_back({mlp + "DenseReluDense.wi_0.weight", {o.d_ff, o.d_model}});
    wanted.push_back({mlp + "DenseReluDense.wi_1.weight", {o.d_ff, o.d_model}});
    wanted.push_back({mlp + "DenseReluDense.wo.weight", {o.d_model, o.d_ff}});
  }
  return wanted;
}

}  // namespace

at::Tensor CardWeights::of(const WeightTensor& weight) {
  const std::lock_guard lock(mutex_);
  at::Tensor& copy = copies_[weight.elements.data()];
  if (!copy.defined()) copy = view_of(weight).to(card_);
  return copy;
}

T5Encoder::T5Encoder(const WeightSet& weights, const T5Options& options, at::ScalarType dtype,
                     CardWeights* card)
    : weights_(encoder_part(weights)), options_(options), dtype_(dtype), card_(card) {
  if (dtype != at::kFloat && dtype != at::kDouble && dtype != at::kBFloat16) {
    throw ConfigurationError(
        "the T5 encoder computes in float, double or bfloat16 (its activations leave the range of "
        "half): choose one of these");
  }
  check(options_, weights_.where());
  const std::string embedding = weights_.tensors().contains(kShared) ? kShared : kEmbedTokens;
  const auto wanted = wanted_of(options_, embedding);
  check_tensors(weights_, wanted, std::array<std::string_view, 2>{kShared, kEmbedTokens});
  const auto find = [&](const std::string& name) { return weights_.tensors().find(name)->second; };
  embedding_ = find(embedding);
  position_bias_ = find(position_bias_name());
  final_norm_ = find(kFinalNorm);
  for (int i = 0; i < options_.layers; ++i) {
    const std::string attention = block(i) + "0.SelfAttention.";
    const std::string mlp = block(i) + "1.DenseReluDense.";
    layers_.push_back({find(block(i) + "0.layer_norm.weight"), find(attention + "q.weight"),
                       find(attention + "k.weight"), find(attention + "v.weight"),
                       find(attention + "o.weight"), find(block(i) + "1.layer_norm.weight"),
                       find(mlp + "wi_0.weight"), find(mlp + "wi_1.weight"),
                       find(mlp + "wo.weight")});
  }
}

at::Tensor T5Encoder::stored(const WeightTensor& weight) const {
  return card_ != nullptr ? card_->of(weight) : view_of(weight);
}

at::Tensor T5Encoder::widened(const WeightTensor& weight) {
  const at::Tensor narrow = stored(weight);
  if (narrow.scalar_type() == dtype_) return narrow;
  if (!scratch_.defined()) {
    const std::int64_t inner = std::int64_t{options_.heads} * options_.d_kv;
    scratch_ =
        at::empty({std::max<std::int64_t>(inner, options_.d_ff) * std::int64_t{options_.d_model}},
                  narrow.options().dtype(dtype_));
  }
  return scratch_.narrow(0, 0, narrow.numel()).view(narrow.sizes()).copy_(narrow);
}

at::Tensor T5Encoder::linear(const at::Tensor& x, const WeightTensor& weight) {
  return at::linear(x, widened(weight));
}

// No mean is taken off and nothing is added. The variance of bfloat16 is taken in float, and the
// product rounded before the weight is applied, as in the original.
at::Tensor T5Encoder::norm(const at::Tensor& x, const WeightTensor& weight) const {
  const at::Tensor wide = x.to(dtype_ == at::kDouble ? at::kDouble : at::kFloat);
  const at::Tensor scale = (wide.pow(2).mean(-1, /*keepdim=*/true) + options_.eps).rsqrt();
  return (wide * scale).to(dtype_) * stored(weight).to(dtype_);
}

at::Tensor T5Encoder::embed(std::span<const std::vector<int>> texts) const {
  std::vector<std::int64_t> ids;
  for (const auto& text : texts) {
    if (text.empty()) throw DataError("a text without tokens (each has at least its end, EOS)");
    for (const int id : text) {
      if (id < 0 || id >= options_.vocab) {
        throw DataError("token " + std::to_string(id) + " is outside the vocabulary of " +
                        std::to_string(options_.vocab) + " (" + weights_.where() +
                        "): tokenizer and weights do not belong together");
      }
      ids.push_back(id);
    }
  }
  // Only the rows in use are read from the file.
  const at::Tensor rows = view_of(embedding_).index_select(0, at::tensor(ids, at::kLong));
  return (card_ != nullptr ? rows.to(card_->card()) : rows).to(dtype_);
}

// (heads, length, length). A distance alone decides, so that a shorter text takes the corner.
at::Tensor T5Encoder::position_bias(std::int64_t length) const {
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(length * length));
  for (std::int64_t query = 0; query < length; ++query) {
    for (std::int64_t key = 0; key < length; ++key) {
      rows.push_back(relative_bucket(key - query, options_));
    }
  }
  const at::Tensor table = stored(position_bias_).to(dtype_);
  return table.index_select(0, at::tensor(rows, at::kLong).to(table.device()))
      .view({length, length, options_.heads})
      .permute({2, 0, 1})
      .contiguous();
}

at::Tensor T5Encoder::attention(const Layer& layer, const at::Tensor& x, const at::Tensor& bias,
                                std::span<const std::int64_t> lengths) {
  const at::Tensor q = linear(x, layer.q);  // (T, heads * d_kv)
  const at::Tensor k = linear(x, layer.k);
  const at::Tensor v = linear(x, layer.v);
  std::vector<at::Tensor> mixed;
  std::int64_t first = 0;
  for (const auto length : lengths) {
    const auto heads_of = [&](const at::Tensor& all) {
      return all.narrow(0, first, length)
          .view({length, options_.heads, options_.d_kv})
          .transpose(0, 1);  // (heads, length, d_kv)
    };
    // T5 does not divide by sqrt(d_kv): its start weights make up for it.
    const at::Tensor logits = at::matmul(heads_of(q), heads_of(k).transpose(1, 2)) +
                              bias.narrow(1, 0, length).narrow(2, 0, length);
    const at::Tensor share =
        at::softmax(logits, -1, dtype_ == at::kDouble ? at::kDouble : at::kFloat).to(dtype_);
    mixed.push_back(at::matmul(share, heads_of(v)).transpose(0, 1).reshape({length, -1}));
    first += length;
  }
  return linear(at::cat(mixed), layer.o);
}

EncodedTexts T5Encoder::encode(std::span<const std::vector<int>> texts) {
  EncodedTexts encoded;
  if (texts.empty()) {
    encoded.states = at::empty({0, options_.d_model}, dtype_);
    return encoded;
  }
  at::Tensor x = embed(texts);  // (T, d_model), neither scaled nor given positions
  for (const auto& text : texts) encoded.lengths.push_back(static_cast<std::int64_t>(text.size()));
  const at::Tensor bias =
      position_bias(*std::max_element(encoded.lengths.begin(), encoded.lengths.end()));
  for (const auto& layer : layers_) {
    x = x + attention(layer, norm(x, layer.norm_attention), bias, encoded.lengths);
    const at::Tensor y = norm(x, layer.norm_mlp);
    const at::Tensor gate = at::gelu(linear(y, layer.wi_0), "tanh");
    x = x + linear(gate * linear(y, layer.wi_1), layer.wo);
  }
  encoded.states = norm(x, final_norm_);
  scratch_ = at::Tensor();
  return encoded;
}

}  // namespace evd::nn
