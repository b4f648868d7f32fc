#include "submit_queue.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "run/lease.hpp"

namespace evd::hands {

Queue settled_queue(const run::Campaign& campaign, Unreachable unreachable) {
  const double begun_s = monotonic_s();
  while (true) {
    auto answer = ask_queue(campaign.id());
    if (!answer.trouble.empty()) {
      if (unreachable == Unreachable::refuse)
        throw ServiceError(answer.trouble +
                           "; jobs are submitted where Slurm's commands work "
                           "(on this machine alone: evd run " +
                           shell_word(campaign.root().string()) + ")");
      std::cerr << "evd: " << answer.trouble << "; so no job is taken to be in the queue\n";
    }
    const bool ending =
        std::any_of(answer.queue.begin(), answer.queue.end(),
                    [](const auto& entry) { return entry.second.state == "COMPLETING"; });
    if (!ending || unreachable == Unreachable::empty || monotonic_s() - begun_s > 120)
      return answer.queue;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

void add_jobs_by_hand(const run::Campaign& campaign, const std::vector<run::StageRef>& stages,
                      Queue& queue) {
  const auto self = run::lease_identity({}, "submit", 1);
  for (const auto& ref : stages) {
    if (queue.contains(ref)) continue;
    const auto holder = run::read_lease(campaign.lease_file(ref));
    if (!holder || holder->released) continue;
    const auto alive = liveness(*holder, self, run::system_probes());
    if (alive == run::Liveness::gone) continue;
    if (!holder->slurm_job.empty()) {
      queue[ref] = {holder->slurm_job, "RUNNING", ""};
    } else if (alive == run::Liveness::alive) {
      throw ConfigurationError(to_string(ref) + " is being run by " + describe(*holder) +
                               ", which is no job of Slurm; wait for it, or end it first");
    }
  }
}

}  // namespace evd::hands
