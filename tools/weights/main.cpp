#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "run/options.hpp"
#include "weights/commands.hpp"

// Weights of PixArt and Edgen: what a file holds, and the same weights in another layout.
int main(int argc, char** argv) {
  using namespace evd;
  CLI::App app("Looks at, converts and checks weights of PixArt and Edgen", "evd-weights");
  app.require_subcommand(1);
  app.footer(run::exit_code_help());
  const auto commands = {weights::add_info(app), weights::add_convert(app),
                         weights::add_verify(app), weights::add_init(app)};
  if (const auto code = run::parse_command_line(app, argc, argv, run::Speaks::yes)) return *code;
  try {
    for (const auto& command : commands)
      if (command.app->parsed()) command.act();
    if (!std::cout.flush()) throw IoError("write to standard output: it does not take any more");
    return static_cast<int>(ExitCode::done);
  } catch (const std::exception& error) {
    std::cout.flush();
    std::cerr << "evd-weights: " << error.what() << "\n";
    return static_cast<int>(exit_code(error));
  }
}
