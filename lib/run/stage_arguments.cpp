#include "run/stage_arguments.hpp"

#include <iostream>

#include <CLI/CLI.hpp>

#include "core/error.hpp"

namespace evd::run {
namespace {

bool has_start(Stage stage) { return stage == Stage::evaluate || stage == Stage::score; }

std::string summary(const std::vector<StageProgram>& stages) {
  std::string text;
  for (const auto& stage : stages) text += (text.empty() ? "" : "\n") + stage.summary;
  return text;
}

Rerun parse_rerun(const std::string& text) {
  if (text.empty()) return Rerun::no;
  if (text == "again") return Rerun::again;
  if (text == "failed") return Rerun::failed;
  if (text == "fresh") return Rerun::fresh;
  if (text == "stale") return Rerun::stale;
  throw UsageError("--rerun=" + text + " is not one of: failed, fresh, stale (or --rerun alone)");
}

// Checks that concern several options at once.
StageRef stage_ref(Stage stage, std::optional<int> round, bool start) {
  if (start && round) throw UsageError("--round and --start are both given: keep one");
  if (!start && !round)
    throw UsageError(std::string("which round? Give --round N") +
                     (has_start(stage) ? ", or --start for the start weights" : ""));
  if (start && !has_start(stage))
    throw UsageError("--start: " + std::string(name(stage)) +
                     " has no start stage (evaluate and score have)");
  return {stage, start ? kStartRound : *round};
}

}  // namespace

StageCommand parse_stage_command(int argc, char** argv, const std::vector<StageProgram>& stages,
                                 Speaks speaks) {
  StageArguments parsed;
  std::optional<int> round;
  bool start = false;
  std::string rerun;
  CLI::App app(summary(stages), program_of(stages.front().stage));
  app.add_option("DIR", parsed.directory, "Campaign directory (made by evd init)");
  app.add_option("--round", round, "Round to do, from 0")
      ->check(CLI::Range(0, 999999))
      ->type_name("N");
  bool any_start = false;
  for (const auto& stage : stages) any_start = any_start || has_start(stage.stage);
  if (any_start) app.add_flag("--start", start, "The start weights instead of a round");
  std::vector<CLI::Option*> choices;
  for (std::size_t i = 1; i < stages.size(); ++i) {
    const std::string stage(name(stages[i].stage));
    const std::string help = "Do " + stage + " instead of " + std::string(name(stages[0].stage));
    choices.push_back(app.add_flag("--" + stage, help));
  }
  app.add_flag("--rerun{again}", rerun,
               "Set the old result aside and decide again from what is recorded;\n"
               "--rerun=failed asks again what failed or stayed open;\n"
               "--rerun=fresh pays again for everything (needs --yes);\n"
               "--rerun=stale does nothing when the result is still good");
  app.add_flag("--yes", parsed.yes, "Agree to the cost of --rerun=fresh");
  app.add_flag("--accept-partial", parsed.accept_partial,
               "Publish what there is, and record who said so");
  app.add_option("--set", parsed.settings, "Another value of an operation key, for this run only")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--dump-config", parsed.dump_config,
               "Print the round's configuration and leave; without DIR, the defaults");
  app.add_flag("--launch-probe", parsed.launch_probe)->group("");
  for (const auto& stage : stages)
    if (stage.more_options) stage.more_options(app);
  app.footer(exit_code_help());
  if (const auto code = parse_command_line(app, argc, argv, speaks)) return {std::nullopt, *code};
  try {
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (choices[i]->count() > 0) parsed.which = i + 1;
    parsed.rerun = parse_rerun(rerun);
    const bool defaults = parsed.dump_config && parsed.directory.empty();
    if (parsed.launch_probe || defaults) return {parsed, 0};
    if (parsed.directory.empty()) throw UsageError("which campaign? DIR is missing");
    parsed.self = stage_ref(stages[parsed.which].stage, round, start);
    return {parsed, 0};
  } catch (const UsageError& error) {
    if (speaks == Speaks::yes)
      std::cerr << app.get_name() << ": " << error.what() << "\nTry: " << app.get_name()
                << " --help\n";
    return {std::nullopt, static_cast<int>(error.code())};
  }
}

}  // namespace evd::run
