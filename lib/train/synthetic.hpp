#pragma once

#include <string>
#include <vector>

#include "run/config.hpp"
#include "train/batch.hpp"

namespace CLI {
class App;
}

namespace evd::train {

/// A rank's part of a global batch of made-up features: latents from a normal distribution, texts
/// of 3 to max_tokens tokens of it. A function of (seed, step, place), whatever the number of
/// ranks.
[[nodiscard]] Part synthetic_part(const run::Config& config, std::int64_t step, int rank,
                                  int ranks);

/// What the command line of --synthetic says.
struct SyntheticArguments {
  std::string config_file;
  int steps = 20;
  std::vector<std::string> settings;
};
/// True when the arguments ask for it, and not for help.
[[nodiscard]] bool wants_synthetic(int argc, char** argv);
/// Describes the options in the stage's --help.
void add_synthetic_options(CLI::App& app, SyntheticArguments& given);

/// The whole of `evd-train --synthetic [--config FILE] [--steps N] [--set KEY=VALUE]`: trains
/// random start weights on made-up features, with no campaign and nothing written, and says how
/// fast that was and how much memory it took beside what was planned. With or without mpirun.
int synthetic_program(int argc, char** argv);

}  // namespace evd::train
