#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/fused.hpp"
#include "nn/layout.hpp"

namespace evd::nn {

/// Text states of a batch: the tokens of all texts, one text after another, without padding.
struct TextBatch {
  at::Tensor states;                  ///< (sum of lengths, caption_width)
  std::vector<std::int64_t> lengths;  ///< tokens of each text, at least 1
};

/// What cross attention needs of the texts; depends on them alone, so that a sampler computes it
/// once for all its steps.
struct TextKeys {
  std::vector<at::Tensor> kv;  ///< per block (sum of lengths, 2 C): keys, then values
  at::Tensor states;  ///< instead of them: (sum of lengths, C), which each block takes its own of
  std::vector<std::int64_t> lengths;
};

/// The keys of several batches of texts as those of one.
[[nodiscard]] TextKeys joined(std::span<const TextKeys> batches);

/// The largest |attention logit| of a block over a batch, scaled and normalised as it is used.
struct AttentionLogits {
  double self = 0;
  double cross = 0;
};

/// What a multi-aspect network is told of each picture.
struct PictureShapes {
  at::Tensor size;    ///< (B, 2): height and width in pixels
  at::Tensor aspect;  ///< (B): height over width, as the bucket tables have it
};

/// PixArt-alpha's transformer (adaLN-single, cross attention without pre-norm and gate, optional
/// layer norm of queries and keys as in Edgen), over parameters that lie in one flat buffer.
/// Names, shapes and formulas: PixArt-alpha diffusion/model/nets/PixArt.py, PixArt_blocks.py.
class Network {
 public:
  /// `flat` holds layout.size() elements (more do no harm), 64-byte aligned, on the device that
  /// computes; parameters are views of it. float or double: everything is computed in it. bfloat16:
  /// products and attention are, while what blocks hand on, modulation and the output are float.
  Network(const Layout& layout, at::Tensor flat, Kernels kernels = Kernels::fused);

  /// Parameters in the layout's order; leaves for autograd.
  [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
  void require_gradients();
  /// From now on backward computes each block anew instead of keeping what it made on the way:
  /// the same bits for less memory and a forward pass more.
  void recompute_blocks() { recomputes_ = true; }

  [[nodiscard]] TextKeys keys_of(const TextBatch& text) const;
  /// The same for one pass of training: keys and values are made within each block, so that
  /// backward finishes a block's gradients together, and the last blocks' first.
  [[nodiscard]] TextKeys states_of(const TextBatch& text) const;
  /// z (B, C, H, W), H and W multiples of the patch; timesteps (B), which may lie between whole
  /// numbers -> (B, out_channels, H, W), double of a network in double, else float. `shapes` is
  /// read by a multi-aspect network only. All on the weights' device.
  [[nodiscard]] at::Tensor forward(const at::Tensor& z, const at::Tensor& timesteps,
                                   const TextKeys& text, const PictureShapes& shapes = {}) const;

  /// The same pass, for what its attentions look like: by block. Without gradients.
  [[nodiscard]] std::vector<AttentionLogits> attention_logits(
      const at::Tensor& z, const at::Tensor& timesteps, const TextKeys& text,
      const PictureShapes& shapes = {}) const;

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] at::ScalarType dtype() const { return flat_.scalar_type(); }
  /// Of what blocks hand on.
  [[nodiscard]] at::ScalarType stream_dtype() const {
    return dtype() == at::kDouble ? at::kDouble : at::kFloat;
  }

 private:
  struct Linear {
    at::Tensor weight;
    at::Tensor bias;
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Block {
    at::Tensor table;  // (6, C)
    Linear qkv, attention_out, query, key_value, cross_out, fc1, fc2;
  };
  [[nodiscard]] const at::Tensor& find(const std::string& name) const;
  [[nodiscard]] Linear linear(const std::string& name) const;
  [[nodiscard]] Block block(int index) const;
  /// The two layers of an embedder of scalars.
  struct Embedder {
    Linear first, second;
    [[nodiscard]] at::Tensor operator()(const at::Tensor& scalars, at::ScalarType dtype) const;
  };
  [[nodiscard]] Embedder embedder(const std::string& name) const;
  [[nodiscard]] at::Tensor positions(std::int64_t rows, std::int64_t columns) const;
  [[nodiscard]] at::Tensor embed_picture(const at::Tensor& z) const;
  [[nodiscard]] at::Tensor embed_time(const at::Tensor& timesteps,
                                      const PictureShapes& shapes) const;
  /// forward(), telling each block's logits to `logits` where it is given.
  [[nodiscard]] at::Tensor pass(const at::Tensor& z, const at::Tensor& timesteps,
                                const TextKeys& text, const PictureShapes& shapes,
                                std::vector<AttentionLogits>* logits) const;
  [[nodiscard]] at::Tensor apply(const Block& block, const at::Tensor& x, const at::Tensor& t0,
                                 const at::Tensor& kv, std::span<const std::int64_t> lengths,
                                 const Padding& padding, AttentionLogits* logits) const;
  [[nodiscard]] at::Tensor to_picture(const at::Tensor& tokens, std::int64_t rows,
                                      std::int64_t columns) const;

  Layout layout_;
  at::Tensor flat_;
  Kernels kernels_;
  std::vector<at::Tensor> parameters_;
  /// Tables (N, C) by rows and columns, made when first asked for; forward runs in several threads.
  struct PositionCache;
  std::shared_ptr<PositionCache> position_cache_;
  Linear patch_, modulation_, caption1_, caption2_, head_;
  Embedder time_, size_, aspect_;
  at::Tensor head_table_;  // (2, C)
  std::vector<Block> blocks_;
  bool recomputes_ = false;
};

/// Sine-cosine positions (N, C), tokens row-major, computed in double and rounded to float as the
/// original stores them. The first half of the channels encodes the column, the second the row (the
/// original's variables are named the other way). `base`: tokens of a side at training size.
[[nodiscard]] at::Tensor position_table(std::int64_t rows, std::int64_t columns, double base,
                                        double interpolation, int width);
/// (B, 256): cosines first, then sines; in float as the original, whatever the network's type.
[[nodiscard]] at::Tensor timestep_table(const at::Tensor& timesteps);

}  // namespace evd::nn
