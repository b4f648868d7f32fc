#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/t5_options.hpp"
#include "nn/weight_set.hpp"

namespace evd::nn {

/// What the encoder makes of several texts: the states of their tokens one text after another,
/// nothing for padding.
struct EncodedTexts {
  at::Tensor states;                  ///< (T, d_model), of the encoder's dtype
  std::vector<std::int64_t> lengths;  ///< tokens of each text, T in all
};

/// The encoder of T5 v1.1 (transformers, T5EncoderModel; arXiv 1910.10683, 2002.05202). Weights
/// stay mapped: each matrix is widened to the dtype of the computation when it is used, into one
/// piece of memory that the next one takes over, so that beside the page cache only the largest
/// matrix and the activations are held. Texts are packed, never padded: a text's states do not
/// depend on its neighbours.
class T5Encoder {
 public:
  /// `weights` under transformers' names (`shared.weight` or `encoder.embed_tokens.weight`), in
  /// bf16, half, float or double; the decoder of a whole T5 is passed over. `dtype` of the
  /// computation: float, double or bfloat16 (activations of T5 leave the range of half). DataError
  /// names what is missing, unexpected, of another shape or type; ConfigurationError for half.
  T5Encoder(const WeightSet& weights, const T5Options& options, at::ScalarType dtype);

  /// States of the given tokens; every text ends with its EOS already (Tokenizer). DataError for a
  /// text without tokens and for a token outside the vocabulary. Not for two threads at once.
  [[nodiscard]] EncodedTexts encode(std::span<const std::vector<int>> texts);

  [[nodiscard]] const T5Options& options() const { return options_; }

 private:
  struct Layer {
    WeightTensor norm_attention, q, k, v, o;
    WeightTensor norm_mlp, wi_0, wi_1, wo;
  };

  [[nodiscard]] at::Tensor widened(const WeightTensor& weight);
  [[nodiscard]] at::Tensor linear(const at::Tensor& x, const WeightTensor& weight);
  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const WeightTensor& weight) const;
  [[nodiscard]] at::Tensor embed(std::span<const std::vector<int>> texts) const;
  [[nodiscard]] at::Tensor position_bias(std::int64_t length) const;
  [[nodiscard]] at::Tensor attention(const Layer& layer, const at::Tensor& x,
                                     const at::Tensor& bias, std::span<const std::int64_t> lengths);

  WeightSet weights_;
  T5Options options_;
  at::ScalarType dtype_;
  WeightTensor embedding_;      // (vocab, d_model)
  WeightTensor position_bias_;  // (buckets, heads)
  WeightTensor final_norm_;
  std::vector<Layer> layers_;
  at::Tensor scratch_;  // the matrix in use
};

}  // namespace evd::nn
