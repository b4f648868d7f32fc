#include "evaluate/prompts_program.hpp"

#include <cstdio>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "evaluate/prompts.hpp"
#include "run/options.hpp"

namespace evd::evaluate {
namespace {

struct Arguments {
  std::string directory;
  std::string prompts;
  std::string checkpoint;
  std::string seeds = "0";
  std::string out;
  std::vector<std::string> settings;
};

void describe(CLI::App& app, Arguments& given) {
  app.footer(run::exit_code_help());
  app.add_option("DIR", given.directory, "Campaign directory (made by evd init)")->required();
  app.add_option("--prompts", given.prompts, "Prompts to draw, one a line (.txt)")->required();
  app.add_option("--checkpoint", given.checkpoint, "Round whose weights draw, or start")
      ->required();
  app.add_option("--seeds", given.seeds, "Start noises: 0..3, or 1,4,9")->capture_default_str();
  app.add_option("--out", given.out, "Folder for PNG files, contact sheet and image shard")
      ->required();
  app.add_option("--set", given.settings,
                 "KEY=VALUE over the round's configuration, such as evaluate.steps=50");
}

PromptJob job_of(const Arguments& given) {
  return {given.prompts, parse_checkpoint(given.checkpoint), parse_seeds(given.seeds), given.out};
}

void work(const Arguments& given, mpi::Communicator& world, const Log& log) {
  const PromptJob job = job_of(given);
  const run::Campaign campaign(given.directory);
  run::Config config = campaign.config(std::max(job.checkpoint, 0));
  run::apply_settings(config, given.settings);
  render_prompts(campaign, config, job, world, log);
}

}  // namespace

bool wants_prompts(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (const std::string_view argument = argv[i];
        argument == "--prompts" || argument.starts_with("--prompts="))
      return true;
  return false;
}

int prompts_program(int argc, char** argv) {
  mpi::Environment environment(argc, argv);
  mpi::Communicator world = mpi::Communicator::world();
  const Log log("evaluate", world.rank());
  CLI::App app("Draws any prompts with the weights of any round", "evd-evaluate");
  Arguments given;
  describe(app, given);
  const auto speaks = world.rank() == 0 ? run::Speaks::yes : run::Speaks::no;
  if (const auto code = run::parse_command_line(app, argc, argv, speaks)) return *code;
  try {
    work(given, world, log);
    return static_cast<int>(ExitCode::done);
  } catch (const std::exception& error) {
    log.error(error.what());
    const int code = static_cast<int>(exit_code(error));
    if (world.size() > 1) world.abort(code);  // the others may wait in a barrier
    return code;
  }
}

}  // namespace evd::evaluate
