#pragma once

#include "run/probe_report.hpp"

namespace evd::probe {

/// What this process may use here: cores, memory, devices, and what Slurm says of it. Rank, node
/// and files are left to others.
[[nodiscard]] run::RankFacts look_around();

}  // namespace evd::probe
