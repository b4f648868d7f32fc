#include "round_times.hpp"

#include <optional>

namespace evd::hands {
namespace {

// A longer pause is somebody's, not the loop's.
constexpr std::int64_t kLongestGap_ms = 10'000;

double at(const std::map<std::string, double>& seconds, const char* name) {
  const auto found = seconds.find(name);
  return found == seconds.end() ? 0 : found->second;
}

// The empty program of the same kind, timed last; without one, what the stage itself measured up to
// a running MPI.
double launcher_s(const RunLog& log, run::Stage stage, const shard::Manifest& manifest) {
  double seconds = at(manifest.seconds, "launch");
  for (const auto& probe : log.probes)
    if (run::program_of(probe.stage) == run::program_of(stage)) seconds = probe.wall_s;
  return seconds;
}

}  // namespace

std::map<int, RoundTimes> round_times(const RunLog& log,
                                      const std::map<run::StageRef, shard::Manifest>& manifests) {
  struct Last {
    RunEntry entry;
    double gap_s = 0;
  };
  std::map<run::StageRef, Last> last;
  std::optional<std::int64_t> ended_ms;
  for (const auto& entry : log.runs) {
    const std::int64_t gap_ms = ended_ms ? entry.spawned_ms - *ended_ms : -1;
    const bool same_run = gap_ms >= 0 && gap_ms < kLongestGap_ms;
    if (entry.code == 0)
      last[entry.ref] = {entry, same_run ? static_cast<double>(gap_ms) / 1e3 : 0};
    ended_ms = entry.ended_ms;
  }
  std::map<int, RoundTimes> rounds;
  for (const auto& [ref, run] : last) {
    const auto manifest = manifests.find(ref);
    if (manifest == manifests.end()) continue;
    const auto& seconds = manifest->second.seconds;
    auto& times = rounds[ref.round];
    times.wall_s += run.entry.wall_s + run.gap_s;
    times.drawing_s += at(seconds, "drawing");
    times.judging_s += at(seconds, "judging");
    times.training_s += at(seconds, "training");
    times.rendering_s += at(seconds, "rendering");
    times.launcher_s += launcher_s(log, ref.stage, manifest->second);
  }
  return rounds;
}

}  // namespace evd::hands
