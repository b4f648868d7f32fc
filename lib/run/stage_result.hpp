#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "run/campaign.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"

namespace evd::run {

/// What a stage gives back on rank 0 (ignored elsewhere). The shell adds the rest, publishes
/// MANIFEST.json, and writes report.json either way.
struct Result {
  std::vector<shard::FileEntry> files;  ///< of all ranks
  std::vector<shard::InputFile>
      input_files;  ///< read from other results, beside the stage's inputs
  shard::Counts counts;
  std::map<std::string, shard::Counts> by_teacher;
  std::map<std::string, std::int64_t> tallies;
  /// Wall seconds on rank 0 by activity. `drawing`, `judging`, `training` and `rendering` are the
  /// work itself, everything else of a stage counts as overhead in `evd status --times`. The shell
  /// adds launch, wall and cpu.
  std::map<std::string, double> seconds;
  std::int64_t cost_microusd = 0;
  std::int64_t ambiguous_microusd = 0;
  std::string closing_line;  ///< said at the end, for a person
  /// On rank 0 when the manifest is out: tidying that only a published result allows. What it
  /// throws is a warning.
  std::function<void()> afterwards;
};

/// What the shell knows of a life beside its result.
struct LifeFacts {
  std::vector<shard::InputEntry> inputs;
  int attempt = 1;
  std::string job;
  int ranks = 1;
  std::map<std::string, double> seconds;  ///< launch, wall, cpu
  std::string accepted_partial_by;
};
/// The manifest of `ref`'s result, files in name order.
[[nodiscard]] shard::Manifest manifest_of(const Campaign& campaign, const StageRef& ref,
                                          const Config& config, const Result& result,
                                          const LifeFacts& facts);

}  // namespace evd::run
