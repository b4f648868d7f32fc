#pragma once

#include <map>
#include <string>
#include <vector>

#include "run_log.hpp"
#include "shard/manifest.hpp"

namespace evd::hands {

/// Where a round's time went, in seconds.
struct RoundTimes {
  double wall_s = 0;  ///< its stages from launch to end, and what `evd run` did in between
  double drawing_s = 0;
  double judging_s = 0;
  double training_s = 0;
  double rendering_s = 0;
  double launcher_s = 0;  ///< empty programs, one for each stage
  /// The loop's own: everything else.
  [[nodiscard]] double overhead_s() const {
    return wall_s - drawing_s - judging_s - training_s - rendering_s - launcher_s;
  }
};

/// By round, from the last start of each stage that `log` knows to have succeeded; `manifests` are
/// of the same stages. Stages that were not started by `evd run` are left out.
[[nodiscard]] std::map<int, RoundTimes> round_times(
    const RunLog& log, const std::map<run::StageRef, shard::Manifest>& manifests);

}  // namespace evd::hands
