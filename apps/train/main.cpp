#include "nn/device.hpp"
#include "run/program.hpp"
#include "train/plan_program.hpp"
#include "train/stage.hpp"
#include "train/synthetic.hpp"

int main(int argc, char** argv) {
  using namespace evd;
  if (train::wants_plan(argc, argv)) return train::plan_program(argc, argv);
  if (train::wants_synthetic(argc, argv)) return train::synthetic_program(argc, argv);
  train::SyntheticArguments synthetic;
  train::PlanArguments described;  // for --help, which shows all there is
  train::StageWishes wishes;
  return run::program(
      argc, argv,
      {{run::Stage::train,
        "Train the base model on the evolved set, data-parallel over the ranks. Goes on where an\n"
        "earlier attempt stopped.",
        [&](run::Context& context) { return train::run_stage(context, wishes); },
        [&](CLI::App& app) {
          train::add_stage_options(app, wishes);
          train::add_plan_options(app, described);
          train::add_synthetic_options(app, synthetic);
        },
        [&](const run::Config& config) {
          nn::require_device(config.compute);
          train::check_wishes(wishes, config.train);
        }}});
}
