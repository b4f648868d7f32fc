#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "run/options.hpp"
#include "run/program.hpp"

namespace evd::run {

/// What the command line of a stage program says.
struct StageArguments {
  std::filesystem::path directory;
  StageRef self;
  std::size_t which = 0;  ///< index into the program's stages
  Rerun rerun = Rerun::no;
  bool accept_partial = false;
  bool yes = false;
  bool dump_config = false;
  bool launch_probe = false;
  std::vector<std::string> settings;
};

struct StageCommand {
  std::optional<StageArguments> arguments;  ///< nothing = leave with `exit_code`
  int exit_code = 0;
};
[[nodiscard]] StageCommand parse_stage_command(int argc, char** argv,
                                               const std::vector<StageProgram>& stages,
                                               Speaks speaks);

}  // namespace evd::run
