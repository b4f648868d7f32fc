#pragma once

#include "nn/options.hpp"

namespace evd::nn::test {

/// The smallest network with every kind of parameter.
inline NetworkOptions small_network() {
  NetworkOptions n;
  n.input_size = 8;
  n.patch = 4;
  n.width = 16;
  n.depth = 1;
  n.head_dim = 8;
  n.caption_width = 6;
  n.max_tokens = 3;
  return n;
}

}  // namespace evd::nn::test
