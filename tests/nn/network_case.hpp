#pragma once

#include <vector>

#include "nn/network.hpp"

namespace evd::nn::test {

/// A small network with every weight away from zero, and inputs for it with texts of unequal
/// length.
struct NetworkCase {
  explicit NetworkCase(QkNorm norm, bool learned_variance = false);

  [[nodiscard]] Network network(Kernels kernels, at::ScalarType dtype = at::kDouble) const;
  [[nodiscard]] TextBatch text(at::ScalarType dtype = at::kDouble) const;
  [[nodiscard]] at::Tensor input(const std::vector<float>& values, at::IntArrayRef shape,
                                 at::ScalarType dtype = at::kDouble) const;
  [[nodiscard]] at::Tensor output(const Network& network) const;

  Layout layout;
  std::vector<float> weights;
  std::vector<float> z;
  std::vector<float> t;
  std::vector<float> states;   // (kBatch, max_tokens, caption_width)
  std::vector<float> lengths;  // whole numbers
  static constexpr std::int64_t kBatch = 3;
};

}  // namespace evd::nn::test
