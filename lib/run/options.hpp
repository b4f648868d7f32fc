#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace evd::run {

/// Whether this process prints (one rank does).
enum class Speaks : bool { no, yes };

/// Parses a command line. Gives the exit code when the program is to end now: 0 after --help or
/// --version, 64 after a mistake, which is told with the nearest known option.
[[nodiscard]] std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv,
                                                    Speaks speaks);

/// "Exit codes: 0 done, ...": the end of every --help.
[[nodiscard]] std::string exit_code_help();

}  // namespace evd::run
