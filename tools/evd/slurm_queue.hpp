#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "run/campaign.hpp"

namespace evd::hands {

/// A job of the campaign that squeue knows.
struct QueuedJob {
  std::string job;
  std::string state;   ///< PENDING, RUNNING, COMPLETING, ...
  std::string reason;  ///< why it waits: Dependency, Priority, Resources, BeginTime, ...
};
using Queue = std::map<run::StageRef, QueuedJob>;

/// What `sbatch --comment` is given, by which a job is known again: "evd:<campaign>:train-0001".
[[nodiscard]] std::string job_comment(const CampaignId& campaign, const run::StageRef& ref);
/// The campaign's jobs in what `squeue --format=%i|%T|%r|%k` printed.
[[nodiscard]] Queue parse_queue(std::string_view squeue, const CampaignId& campaign);

/// Asks squeue. `trouble` says why it could not be asked: no such program, no answer.
struct QueueAnswer {
  Queue queue;
  std::string trouble;
};
[[nodiscard]] QueueAnswer ask_queue(const CampaignId& campaign);
/// "pending (Dependency)", "running".
[[nodiscard]] std::string describe(const QueuedJob& job);

}  // namespace evd::hands
