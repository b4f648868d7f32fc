#include "run/program.hpp"
#include "train/stage.hpp"

int main(int argc, char** argv) {
  return evd::run::program(
      argc, argv,
      {{evd::run::Stage::train,
        "Train the base model on the evolved set, data-parallel over the ranks. Goes on where an\n"
        "earlier attempt stopped.",
        evd::train::run_stage}});
}
