#pragma once

#include <string>
#include <vector>

#include "run/config.hpp"

namespace CLI {
class App;
}

namespace evd::train {

/// What the command line of --plan says.
struct PlanArguments {
  std::string directory;
  std::string config_file;
  int round = 0;
  int ranks = 1;
  int ranks_per_node = 0;  ///< 0 = all on one
  std::string gpu;
  double utilisation = 0.4;
  std::vector<std::string> settings;
};
/// Adds the options that only the plan has; they are described in the stage's --help too.
void add_plan_options(CLI::App& app, PlanArguments& given);

/// True when the arguments ask for the plan instead of the stage, and not for help.
[[nodiscard]] bool wants_plan(int argc, char** argv);

/// What `evd-train [DIR --round N | --config FILE] --plan` prints: parameters, memory by buffer and
/// rank, floating-point work and time of a step, ranks that fit.
[[nodiscard]] std::string plan_text(const run::Config& config, const PlanArguments& given);

/// The whole of it: arguments, plan, exit code. Starts no MPI.
int plan_program(int argc, char** argv);

}  // namespace evd::train
