#pragma once

#include "shard/training_rows.hpp"

/// Applies `macro` to every row type: the list for explicit instantiations, and the only one.
#define EVD_SHARD_ROWS(macro)                                                                \
  macro(Sample) macro(Image) macro(Answer) macro(Pair) macro(Call) macro(Prompt) macro(Step) \
      macro(Visit) macro(Block) macro(Validation) macro(Feature) macro(FeatureUse) macro(Metric)
