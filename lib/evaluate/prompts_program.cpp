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

PromptJob job_of(const PromptArguments& given) {
  return {.prompts = given.prompts,
          .columns = {.column = given.column, .field = given.field},
          .checkpoint = parse_checkpoint(given.checkpoint),
          .seeds = parse_seeds(given.seeds),
          .out = given.out};
}

void work(const PromptArguments& given, mpi::Communicator& world, const Log& log) {
  const PromptJob job = job_of(given);
  const run::Campaign campaign(given.directory);
  run::Config config = campaign.config(std::max(job.checkpoint, 0));
  run::apply_settings(config, given.settings);
  render_prompts(campaign, config, job, world, log);
}

}  // namespace

void add_prompt_options(CLI::App& app, PromptArguments& given) {
  constexpr const char* kGroup = "Any prompts, instead of a stage";
  auto* prompts = app.add_option("--prompts", given.prompts,
                                 "Prompts to draw: .txt (one a line), .csv or .jsonl")
                      ->type_name("FILE")
                      ->group(kGroup);
  const auto add = [&](const char* name, std::string& value, const char* help, const char* type) {
    return app.add_option(name, value, help)->type_name(type)->group(kGroup)->needs(prompts);
  };
  add("--column", given.column, "Column of .csv that holds the prompt [prompt, caption or text]",
      "NAME");
  add("--field", given.field, "Field of .jsonl that holds the prompt [prompt, caption or text]",
      "NAME");
  add("--checkpoint", given.checkpoint, "Round whose weights draw, or start", "N|start");
  add("--seeds", given.seeds, "Start noises: 0..3, or 1,4,9", "LIST")->capture_default_str();
  add("--out", given.out, "Folder for PNG files, contact sheet and image shard", "FOLDER");
}

bool wants_prompts(int argc, char** argv) {
  bool wanted = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") return false;
    wanted = wanted || argument == "--prompts" || argument.starts_with("--prompts=");
  }
  return wanted;
}

int prompts_program(int argc, char** argv) {
  mpi::Environment environment(argc, argv);
  mpi::Communicator world = mpi::Communicator::world();
  const Log log("evaluate", world.rank());
  CLI::App app("Draws any prompts with the weights of any round", "evd-evaluate");
  PromptArguments given;
  app.add_option("DIR", given.directory, "Campaign directory (made by evd init)")->required();
  app.add_option("--set", given.settings,
                 "KEY=VALUE over the round's configuration, such as evaluate.steps=50");
  add_prompt_options(app, given);
  for (const char* name : {"--prompts", "--checkpoint", "--out"}) app.get_option(name)->required();
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
