#pragma once

#include "run/program.hpp"
#include "train/stage_options.hpp"

namespace evd::train {

/// train(r): goes on from C_(r-1) on the set of judge(max(0, r - staleness)) for steps_per_round
/// steps, data-parallel over the ranks. Publishes model.safetensors (the averaged weights),
/// a checkpoint under state/ (what the next round goes on from) and steps.h5. Killed at any point
/// it resumes at its last checkpoint; at equal world size and ranks per node the result has the
/// same bits (Exchange). No socket.
[[nodiscard]] run::Result run_stage(run::Context& context, const StageWishes& wishes = {});

}  // namespace evd::train
