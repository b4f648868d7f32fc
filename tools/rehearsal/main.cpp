#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "rehearsal/commands.hpp"
#include "run/options.hpp"

// The rehearsal's services and its hands: what the embedded default runs against.
int main(int argc, char** argv) {
  using namespace evd;
  CLI::App app("Local image and judging services that need no network, keys or GPU",
               "evd-rehearsal");
  app.require_subcommand(1);
  app.footer(run::exit_code_help());
  const auto commands = {rehearsal::add_serve(app), rehearsal::add_prompts(app),
                         rehearsal::add_measure(app), rehearsal::add_paint(app),
                         rehearsal::add_read(app)};
  if (const auto code = run::parse_command_line(app, argc, argv, run::Speaks::yes)) return *code;
  try {
    for (const auto& command : commands)
      if (command.app->parsed()) command.act();
    return static_cast<int>(ExitCode::done);
  } catch (const std::exception& error) {
    std::cout.flush();
    std::cerr << "evd-rehearsal: " << error.what() << "\n";
    return static_cast<int>(exit_code(error));
  }
}
