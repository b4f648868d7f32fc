#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "run/options.hpp"

// The hands of a campaign: everything that is no stage. No MPI, no torch.
int main(int argc, char** argv) {
  using namespace evd;
  CLI::App app("Makes, runs and looks after campaigns of text-to-image training", "evd");
  app.require_subcommand(1);
  app.footer(run::exit_code_help());
  const auto commands = {hands::add_init(app),   hands::add_import(app), hands::add_run(app),
                         hands::add_status(app), hands::add_verify(app), hands::add_report(app),
                         hands::add_export(app), hands::add_query(app),  hands::add_set(app),
                         hands::add_submit(app), hands::add_cancel(app), hands::add_gc(app),
                         hands::add_doctor(app)};
  if (const auto code = run::parse_command_line(app, argc, argv, run::Speaks::yes)) return *code;
  try {
    int code = static_cast<int>(ExitCode::usage);
    for (const auto& command : commands)
      if (command.app->parsed()) code = command.act();
    if (!std::cout.flush()) throw IoError("write to standard output: it does not take any more");
    return code;
  } catch (const std::exception& error) {
    std::cout.flush();
    std::cerr << "evd: " << error.what() << "\n";
    return static_cast<int>(exit_code(error));
  }
}
