#pragma once

#include "nn/layout.hpp"
#include "nn/weight_set.hpp"

namespace evd::nn {

/// DataError unless the positions that a set under the authors' names stores (`pos_embed`, (1, N,
/// width)) are those that this network computes, to the rounding of their type. Weights of another
/// size or interpolation would load without a word otherwise. A set without them passes, and so
/// does a multi-aspect network's: PixArtMS reads no more than their width.
void check_positions(const WeightSet& set, const Layout& layout);

}  // namespace evd::nn
