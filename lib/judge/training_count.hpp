#pragma once

#include "judge/plan.hpp"
#include "run/campaign.hpp"

namespace evd::judge {

/// Adds to samples' times_trained how often train(round) took each of them: the order of a round's
/// samples is a function of (seed, round, size buckets), so that nothing is read for it but the
/// manifests and the set, and of a multi-aspect network the targets' sides. Their training_loss is
/// the mean of what visits.h5 tells, where it is finite.
/// Needs sorted samples (sort_state). DataError when a manifest is missing.
void count_training(State& state, const run::Campaign& campaign, std::uint64_t seed, int round);

}  // namespace evd::judge
