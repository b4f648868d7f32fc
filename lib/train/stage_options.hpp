#pragma once

#include <string>

#include "run/train_options.hpp"

namespace CLI {
class App;
}

namespace evd::train {

/// What the command line asks of the stage beside the round.
struct StageWishes {
  std::string profile;  ///< steps of the round to be recorded, "10:13"; empty = none
};
/// Adds these options to the stage's own.
void add_stage_options(CLI::App& app, StageWishes& wishes);
/// UsageError when a round of these options cannot grant them.
void check_wishes(const StageWishes& wishes, const run::TrainOptions& options);

}  // namespace evd::train
