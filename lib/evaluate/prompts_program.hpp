#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace evd::evaluate {

/// What the command line of free prompts says.
struct PromptArguments {
  std::string directory;
  std::string prompts;
  std::string column;
  std::string field;
  std::string checkpoint;
  std::string seeds = "0";
  std::string out;
  std::vector<std::string> settings;
};
/// Adds the options that only free prompts have. The program's --help is the stage's, so they are
/// described there too.
void add_prompt_options(CLI::App& app, PromptArguments& given);

/// True when the arguments ask for free prompts (`--prompts FILE`) instead of a stage, and not for
/// help.
[[nodiscard]] bool wants_prompts(int argc, char** argv);

/// The whole of `evd-evaluate DIR --prompts FILE --checkpoint N|start --seeds 0..3 --out FOLDER`:
/// arguments, MPI (with or without mpirun), work, exit code.
int prompts_program(int argc, char** argv);

}  // namespace evd::evaluate
