#include "evaluate/prompts_program.hpp"
#include "evaluate/stage.hpp"
#include "nn/device.hpp"
#include "run/program.hpp"

int main(int argc, char** argv) {
  using namespace evd;
  if (evaluate::wants_prompts(argc, argv)) return evaluate::prompts_program(argc, argv);
  evaluate::PromptArguments described;  // for --help, which shows all there is
  return run::program(
      argc, argv,
      {{run::Stage::evaluate,
        "Renders a share of the set and the held-out prompts with a round's weights.\nOr draws any "
        "prompts: evd-evaluate DIR --prompts FILE --checkpoint N|start --seeds 0..3 --out FOLDER",
        evaluate::run_stage, [&](CLI::App& app) { evaluate::add_prompt_options(app, described); },
        [](const run::Config& config) { nn::require_device(config.compute); }}});
}
