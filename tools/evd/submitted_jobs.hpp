#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "run/campaign.hpp"

namespace evd::hands {

/// The newest job that `evd submit` made for a stage.
struct SubmittedJob {
  std::string job;
  std::vector<std::string> after;  ///< jobs that it waits for
  std::int64_t submitted_ms = 0;
};

/// DIR/jobs.json: what was submitted. Only the holder of the submit lease writes it.
struct SubmittedJobs {
  int rounds = 0;             ///< most rounds that were asked for
  bool is_cancelled = false;  ///< by evd cancel, and nothing was submitted since
  std::map<run::StageRef, SubmittedJob> jobs;
};
/// Empty when there is no such file; DataError when it is damaged.
[[nodiscard]] SubmittedJobs read_jobs(const run::Campaign& campaign);
void publish_jobs(const run::Campaign& campaign, const SubmittedJobs& jobs);

}  // namespace evd::hands
