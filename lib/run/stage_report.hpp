#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "shard/manifest.hpp"

namespace evd::run {

/// report.json of a stage: how its last life ended, written always.
struct StageReport {
  std::string stage;
  int round = 0;
  int attempt = 1;
  std::string state;  ///< done, stopped, failed
  int exit_code = 0;
  std::string error;  ///< empty when done
  int rank = 0;       ///< that wrote it: the one that failed, else 0
  int ranks = 1;
  std::string job;
  std::string software;
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;
  std::string closing_line;
  shard::Counts counts;
  std::map<std::string, shard::Counts> by_teacher;
  std::map<std::string, std::int64_t> tallies;
  std::map<std::string, double> seconds;
  std::int64_t cost_microusd = 0;
  std::int64_t ambiguous_microusd = 0;
};

[[nodiscard]] std::string to_json(const StageReport& report);
/// Nothing when there is none or when it cannot be read: a report is for people, nothing hangs on
/// it.
[[nodiscard]] std::optional<StageReport> read_report(const std::filesystem::path& directory);
void publish_report(const std::filesystem::path& directory, const StageReport& report);

/// "evolvedirector 0.1.0": what manifests and reports name as software.
[[nodiscard]] std::string software();

}  // namespace evd::run
