#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doctor_check.hpp"
#include "run/probe_report.hpp"

namespace evd::hands {

/// What was asked of the launcher; nothing = it was left to the site.
struct Asked {
  std::optional<int> ranks;
  bool gpus = false;  ///< the site asks for some
};

/// One line a rank: host, place in the node, cores, memory, GPUs.
[[nodiscard]] std::string rank_table(const run::ProbeReport& report);
/// What the reports of one start of evd-probe say about the launcher, the nodes and the directory.
[[nodiscard]] std::vector<Check> judge_ranks(const std::vector<run::ProbeReport>& reports,
                                             const Asked& asked);

}  // namespace evd::hands
