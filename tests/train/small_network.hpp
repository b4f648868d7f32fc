#pragma once

#include "nn/layout.hpp"

namespace evd::train {

/// The smallest network with every kind of parameter.
inline nn::NetworkOptions small_network() {
  nn::NetworkOptions n;
  n.input_size = 8;
  n.patch = 4;
  n.width = 16;
  n.depth = 1;
  n.head_dim = 8;
  n.caption_width = 6;
  n.max_tokens = 3;
  return n;
}

}  // namespace evd::train
