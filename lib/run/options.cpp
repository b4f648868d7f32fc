#include "run/options.hpp"

#include <iostream>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "run/stage_report.hpp"

namespace evd::run {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* subcommand : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(subcommand->get_name());
  return names;
}

// The words that nothing takes, as a message; empty when all are taken.
std::string unknown_words(const CLI::App& app) {
  const auto words = app.remaining(false);
  for (const auto& word : words) {
    if (!word.starts_with("-")) continue;
    const auto known = option_names(app);
    const auto best = nearest(word.substr(0, word.find('=')), known);
    return "unknown option " + word + (best ? " (did you mean " + *best + "?)" : "");
  }
  if (!words.empty()) {
    const auto known = subcommand_names(app);
    if (known.empty()) return "one argument too many: " + words.front();
    const auto best = nearest(words.front(), known);
    return "unknown command " + words.front() +
           (best ? " (did you mean " + *best + "?)" : " (commands: " + join(known, ", ") + ")");
  }
  for (const auto* subcommand : app.get_subcommands())
    if (auto text = unknown_words(*subcommand); !text.empty()) return text;
  return "";
}

void allow_extras(CLI::App& app) {
  app.allow_extras();
  for (auto* subcommand : app.get_subcommands([](const CLI::App*) { return true; }))
    allow_extras(*subcommand);
}

// The full name of what was asked for, for "try ... --help".
std::string spoken_name(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return app.get_name() + (chosen.empty() ? "" : " " + spoken_name(*chosen.front()));
}

int fail(const CLI::App& app, const std::string& what, Speaks speaks) {
  if (speaks == Speaks::yes)
    std::cerr << app.get_name() << ": " << what << "\nTry: " << spoken_name(app) << " --help\n";
  return static_cast<int>(ExitCode::usage);
}

}  // namespace

std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv, Speaks speaks) {
  app.set_version_flag("--version", app.get_name() + " (" + software() + ")",
                       "Print the version and leave");
  // Words that nothing takes are looked at here: the library would name them without a suggestion,
  // and would complain about a missing argument first.
  allow_extras(app);
  try {
    app.parse(argc, argv);
    if (const auto unknown = unknown_words(app); !unknown.empty())
      return fail(app, unknown, speaks);
    return std::nullopt;
  } catch (const CLI::Success& asked) {
    if (speaks == Speaks::yes) app.exit(asked, std::cout, std::cerr);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (const auto unknown = unknown_words(app); !unknown.empty())
      return fail(app, unknown, speaks);
    return fail(app, error.what(), speaks);
  }
}

std::string exit_code_help() {
  return "Exit codes: 0 done, 64 usage, 65 bad data, 69 a service is unavailable, 70 internal, 74 "
         "I/O,\n75 stopped early with its work saved (start it again), 78 configuration or launch.";
}

}  // namespace evd::run
