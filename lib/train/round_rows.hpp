#pragma once

#include <vector>

#include "shard/training_rows.hpp"

namespace evd::train {

/// What rank 0 keeps of a round, from its first step on; part of every checkpoint.
struct RoundRows {
  std::vector<shard::Step> steps;
  std::vector<shard::Visit> visits;
  std::vector<shard::Block> blocks;
};

}  // namespace evd::train
