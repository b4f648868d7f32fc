#pragma once

#include "judge/plan.hpp"
#include "run/campaign.hpp"

namespace evd::judge {

/// Adds to samples' times_trained how often train(round) took each of them. Nothing is read but the
/// manifests and the set, and of a multi-aspect network the targets' sides: the order of a round's
/// samples is a function of (seed, round, size buckets).
/// Needs sorted samples (sort_state). DataError when a manifest is missing.
void count_training(State& state, const run::Campaign& campaign, std::uint64_t seed, int round);

}  // namespace evd::judge
