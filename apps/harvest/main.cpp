#include "core/memory.hpp"
#include "harvest/stage.hpp"
#include "run/program.hpp"

int main(int argc, char** argv) {
  evd::keep_freed_memory();
  return evd::run::program(
      argc, argv,
      {{evd::run::Stage::harvest,
        "Draw images for the prompts that wait for some, through the teachers' HTTP APIs. Goes on\n"
        "where an earlier attempt stopped; what was answered is never asked for again.",
        evd::harvest::run_stage}});
}
