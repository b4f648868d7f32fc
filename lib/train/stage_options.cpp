#include "train/stage_options.hpp"

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "train/profile.hpp"

namespace evd::train {

void add_stage_options(CLI::App& app, StageWishes& wishes) {
  app.add_option("--profile", wishes.profile,
                 "Record these steps of the round (10:13 = three of them) for Chrome's and "
                 "Perfetto's viewers,\none file a rank in DIR/logs/profile")
      ->type_name("FIRST:END");
}

void check_wishes(const StageWishes& wishes, const run::TrainOptions& options) {
  if (wishes.profile.empty()) return;
  if (parse_step_range(wishes.profile).begin < options.steps_per_round) return;
  throw UsageError("--profile " + wishes.profile + ": a round has " +
                   std::to_string(options.steps_per_round) + " steps, from 0 on");
}

}  // namespace evd::train
