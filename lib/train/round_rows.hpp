#pragma once

#include <vector>

#include "shard/training_rows.hpp"

namespace evd::train {

/// What rank 0 keeps of a round, from its first step on; part of every checkpoint.
struct RoundRows {
  std::vector<shard::Step> steps;
  std::vector<shard::Visit> visits;
  std::vector<shard::Block> blocks;
  std::vector<shard::Validation> validations;
};

/// Calls f(file name, rows) for each table of `rows`.
template <class Rows, class F>
void each_table(Rows& rows, const F& f) {
  f("steps.h5", rows.steps);
  f("visits.h5", rows.visits);
  f("blocks.h5", rows.blocks);
  f("validations.h5", rows.validations);
}

}  // namespace evd::train
