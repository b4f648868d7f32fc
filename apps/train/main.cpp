#include "run/program.hpp"
#include "train/plan_program.hpp"
#include "train/stage.hpp"

int main(int argc, char** argv) {
  using namespace evd;
  if (train::wants_plan(argc, argv)) return train::plan_program(argc, argv);
  train::PlanArguments described;  // for --help, which shows all there is
  return run::program(
      argc, argv,
      {{run::Stage::train,
        "Train the base model on the evolved set, data-parallel over the ranks. Goes on where an\n"
        "earlier attempt stopped.",
        train::run_stage, [&](CLI::App& app) { train::add_plan_options(app, described); }}});
}
