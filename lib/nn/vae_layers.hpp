#pragma once

// Private to the rooms that hold torch: do not include from headers.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/vae_options.hpp"

namespace evd::nn {

/// Copies of a set's tensors, as a network computes with them.
struct VaeWeights {
  WeightSet set;
  at::ScalarType dtype;
  at::Device device;
  int groups;

  /// Channels last in fp32 on the CPU, where the convolutions are faster so; ATen has no such ones
  /// in fp64, and a card's group norm none.
  [[nodiscard]] at::MemoryFormat format() const {
    return dtype == at::kDouble || !device.is_cpu() ? at::MemoryFormat::Contiguous
                                                    : at::MemoryFormat::ChannelsLast;
  }
  [[nodiscard]] bool has(const std::string& name) const { return set.tensors().contains(name); }
  [[nodiscard]] at::Tensor copy(const std::string& name, at::ScalarType as) const;
};

/// Layers on (N, C, H, W); each is read under its name.
struct VaeConv {
  VaeConv(const VaeWeights& weights, const std::string& name, int padding = 1);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor weight, bias;
  int padding;
};

/// Halves the sides: stride 2, padded by a row below and a column to the right, not around.
struct VaeDownsampler {
  VaeDownsampler(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor weight, bias;
};

/// Doubles the sides: nearest neighbour, then a convolution of side 3. Of the nine pixels that it
/// would read, only four differ: each of the four output phases is a convolution of side 2 on the
/// small map, with sums of the weights, which is 4/9 of the work.
struct VaeUpsampler {
  VaeUpsampler(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  std::array<at::Tensor, 4> phases;  // (row, column): 00 01 10 11
  at::Tensor bias;
};

struct VaeNorm {
  VaeNorm(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  [[nodiscard]] at::Tensor with_silu(const at::Tensor& x) const;
  at::Tensor weight, bias;
  int groups;
};

struct VaeResnet {
  VaeResnet(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  VaeNorm norm1;
  VaeConv conv1;
  VaeNorm norm2;
  VaeConv conv2;
  std::optional<VaeConv> shortcut;
};

/// Self attention of one head over all places of a map. The weights of a chunk of queries are in
/// memory at once, never those of all: at 1024 px they would take 1 GiB.
struct VaeAttention {
  VaeAttention(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  VaeNorm norm;
  at::Tensor qkv_weight, qkv_bias;  // (3 C, C), (3 C)
  at::Tensor out_weight, out_bias;
};

struct VaeMiddle {
  VaeMiddle(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] at::Tensor operator()(at::Tensor x) const;
  VaeResnet first;
  std::optional<VaeAttention> attention;
  VaeResnet second;
};

/// A level of the encoder or the decoder: resnets, then the change of size if there is one.
template <class Resample>
struct VaeLevel {
  std::vector<VaeResnet> resnets;
  std::optional<Resample> resample;
  [[nodiscard]] at::Tensor operator()(at::Tensor x) const {
    for (const auto& resnet : resnets) x = resnet(x);
    return resample ? (*resample)(x) : x;
  }
};

}  // namespace evd::nn
