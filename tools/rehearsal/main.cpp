#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "rehearsal/commands.hpp"

// The rehearsal's services and its hands: what the embedded default runs against.
int main(int argc, char** argv) {
  CLI::App app("Local image and judging services that need no network, keys or GPU",
               "evd-rehearsal");
  app.set_version_flag("--version", EVD_VERSION);
  app.require_subcommand(1);
  evd::rehearsal::add_serve(app);
  evd::rehearsal::add_prompts(app);
  evd::rehearsal::add_measure(app);
  evd::rehearsal::add_paint(app);
  evd::rehearsal::add_read(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(evd::ExitCode::usage);
  } catch (const std::exception& error) {
    std::cerr << "evd-rehearsal: " << error.what() << "\n";
    return static_cast<int>(evd::exit_code(error));
  }
}
