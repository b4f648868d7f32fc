#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/fused.hpp"
#include "nn/layout.hpp"

namespace evd::nn {

/// Text states of a batch, padded to one length.
struct TextBatch {
  at::Tensor states;  ///< (B, L, caption_width)
  at::Tensor bias;    ///< (B, 1, 1, L): 0 for a token, -inf for padding; undefined = no padding
};

/// What cross attention needs of a text; depends on the text alone, so that a sampler computes it
/// once for all its steps.
struct TextKeys {
  std::vector<at::Tensor> kv;  ///< per block (B, L, 2 C): keys, then values
  at::Tensor bias;
};

/// PixArt-alpha's transformer (adaLN-single, cross attention without pre-norm and gate, optional
/// layer norm of queries and keys as in Edgen), over parameters that lie in one flat buffer.
/// Names, shapes and formulas: PixArt-alpha diffusion/model/nets/PixArt.py, PixArt_blocks.py.
class Network {
 public:
  /// `flat` holds layout.size() floats or doubles, 64-byte aligned; parameters are views of it.
  Network(const Layout& layout, at::Tensor flat, Kernels kernels = Kernels::fused);

  /// Parameters in the layout's order; leaves for autograd.
  [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
  void require_gradients();

  [[nodiscard]] TextKeys keys_of(const TextBatch& text) const;
  /// z (B, C, H, W), timesteps (B) -> (B, out_channels, H, W).
  [[nodiscard]] at::Tensor forward(const at::Tensor& z, const at::Tensor& timesteps,
                                   const TextKeys& text) const;

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] at::ScalarType dtype() const { return flat_.scalar_type(); }

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
  [[nodiscard]] at::Tensor embed_picture(const at::Tensor& z) const;
  [[nodiscard]] at::Tensor embed_time(const at::Tensor& timesteps) const;
  [[nodiscard]] at::Tensor apply(const Block& block, const at::Tensor& x, const at::Tensor& t0,
                                 const at::Tensor& kv, const at::Tensor& bias) const;
  [[nodiscard]] at::Tensor to_picture(const at::Tensor& tokens) const;

  Layout layout_;
  at::Tensor flat_;
  Kernels kernels_;
  std::vector<at::Tensor> parameters_;
  at::Tensor positions_;  // (N, C)
  Linear patch_, time1_, time2_, modulation_, caption1_, caption2_, head_;
  at::Tensor head_table_;  // (2, C)
  std::vector<Block> blocks_;
};

/// Sine-cosine positions (N, C) in double, tokens row-major. The first half of the channels encodes
/// the column, the second the row (the original's variables are named the other way).
[[nodiscard]] at::Tensor position_table(int rows, int columns, double base_rows,
                                        double base_columns, double interpolation, int width);
/// (B, 256) in double: cosines first, then sines.
[[nodiscard]] at::Tensor timestep_table(const at::Tensor& timesteps);

}  // namespace evd::nn
