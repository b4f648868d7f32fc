#include "core/memory.hpp"
// evd-judge: the VLM picks the targets of new prompts, compares them with the base model's pictures
// and evolves the set; with --score it measures held-out prompts and leaves the set alone.
#include "judge/stage.hpp"

int main(int argc, char** argv) {
  evd::keep_freed_memory();
  using evd::run::Stage;
  return evd::run::program(
      argc, argv,
      {{Stage::judge, "let the VLM select, compare and evolve the set", evd::judge::run_judge},
       {Stage::score, "measure held-out prompts against the teachers", evd::judge::run_score}});
}
