#pragma once

#include <cstdint>
#include <vector>

#include "run/campaign.hpp"

namespace evd::hands {

/// One stage as `evd run` started it.
struct RunEntry {
  run::StageRef ref;
  std::int64_t spawned_ms = 0;
  std::int64_t ended_ms = 0;
  double wall_s = 0;  ///< launcher's start and end included
  int code = 0;
};
/// An empty program of a stage, timed by `evd run --times`.
struct ProbeEntry {
  run::Stage stage = run::Stage::harvest;
  std::int64_t spawned_ms = 0;
  double wall_s = 0;
};

/// DIR/logs/run.jsonl: what `evd run` did when.
struct RunLog {
  std::vector<RunEntry> runs;
  std::vector<ProbeEntry> probes;
};
void append_run(const run::Campaign& campaign, const RunEntry& entry);
void append_probe(const run::Campaign& campaign, const ProbeEntry& entry);
/// Lines that are none (a torn last one) are passed over.
[[nodiscard]] RunLog read_run_log(const run::Campaign& campaign);

}  // namespace evd::hands
