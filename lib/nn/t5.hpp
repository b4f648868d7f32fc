#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <cstdint>
#include <map>
#include <mutex>
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
  at::Tensor states;                  ///< (T, d_model), of the encoder's dtype, where it computes
  std::vector<std::int64_t> lengths;  ///< tokens of each text, T in all
};

/// A card's copies of weights, made when they are first used and kept in the type that they have in
/// the file: reading them anew for each text would take longer than the text. For several threads.
class CardWeights {
 public:
  explicit CardWeights(at::Device card) : card_(card) {}
  [[nodiscard]] at::Device card() const { return card_; }
  [[nodiscard]] at::Tensor of(const WeightTensor& weight);

 private:
  at::Device card_;
  std::mutex mutex_;
  std::map<const std::byte*, at::Tensor> copies_;  // by the place of the mapped elements
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
  /// names what is missing, unexpected, of another shape or type; ConfigurationError for half. With
  /// `card`, which must outlive it, everything is computed there.
  T5Encoder(const WeightSet& weights, const T5Options& options, at::ScalarType dtype,
            CardWeights* card = nullptr);

  /// States of the given tokens; every text ends with its EOS already (Tokenizer). DataError for a
  /// text without tokens and for a token outside the vocabulary. Not for two threads at once.
  [[nodiscard]] EncodedTexts encode(std::span<const std::vector<int>> texts);

  [[nodiscard]] const T5Options& options() const { return options_; }

 private:
  struct Layer {
    WeightTensor norm_attention, q, k, v, o;
    WeightTensor norm_mlp, wi_0, wi_1, wo;
  };

  /// Where it is computed with, in the type that it has in the file.
  [[nodiscard]] at::Tensor stored(const WeightTensor& weight) const;
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
  CardWeights* card_;
  WeightTensor embedding_;      // (vocab, d_model)
  WeightTensor position_bias_;  // (buckets, heads)
  WeightTensor final_norm_;
  std::vector<Layer> layers_;
  at::Tensor scratch_;  // the matrix in use
};

}  // namespace evd::nn
