#include "submit_request.hpp"

#include <algorithm>
#include <iostream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "run/staleness.hpp"
#include "worth.hpp"

namespace evd::hands {
namespace {

using run::StageRef;
using run::State;

class Wanted {
 public:
  Wanted(const SubmitOptions& options, const run::Campaign& campaign, const Queue& queue)
      : options_(options), campaign_(campaign), queue_(queue), named_(named_stage(options)) {}

  std::optional<PlanRequest> request() { return named_ ? stage_request() : chain_request(); }

 private:
  // All that is missing of the chain; nothing when stale results stand in the way.
  std::optional<PlanRequest> chain_request() {
    run::Standings standings(campaign_);
    PlanRequest request{run::chain(options_.rounds), {}};
    Worth worth;
    for (const auto& ref : request.stages) {
      const auto& standing = standings.of(ref);
      if (standing.state != State::stale && standing.state != State::damaged) continue;
      if (queue_.contains(ref)) continue;
      request.rerun[ref] = "--rerun=stale";
      worth.add(standings.manifest(ref));
      std::cerr << "evd: " << to_string(ref) << " is " << name_of(standing.state) << ": "
                << standing.why << "\n";
    }
    if (worth.stages == 0 || options_.redo_stale) return request;
    std::cerr << "evd: " << worth.stages << " stages would be done again; they had " << worth.text()
              << ", of which none is paid again unless its request differs; to do so: evd submit "
              << shell_word(campaign_.root().string()) << " --rounds " << options_.rounds
              << " --redo-stale\n";
    return std::nullopt;
  }

  std::optional<PlanRequest> stage_request() {
    const StageRef ref = *named_;
    run::Standings standings(campaign_);
    const std::string rerun = rerun_arguments(options_);
    if (const auto queued = queue_.find(ref); queued != queue_.end())
      throw ConfigurationError(to_string(ref) + " is in the queue already: job " +
                               queued->second.job + ", " + describe(queued->second) +
                               "; wait for it, or end it first: scancel " + queued->second.job);
    const auto& standing = standings.of(ref);
    if (standing.state != State::unfinished && rerun.empty())
      throw UsageError(to_string(ref) + " is " + std::string(name_of(standing.state)) +
                       "; to do it again add --rerun");
    PlanRequest request{{ref}, {}};
    if (!rerun.empty()) {
      request.rerun[ref] = rerun;
      refuse_queued_readers(ref, standings);
      Worth worth;
      worth.add(standings.manifest(ref));
      if (options_.rerun == "fresh" && !options_.yes)
        throw UsageError("--rerun=fresh pays again for " + to_string(ref) + ": it had " +
                         worth.text() + "; add --yes to agree");
    }
    if (options_.then_rest) add_followers(ref, standings, request);
    return request;
  }

  [[nodiscard]] std::vector<StageRef> whole_chain() const {
    const int own = named_ ? named_->round + 1 : 0;
    const int rounds = std::max({1, own, options_.rounds, campaign_.rounds_begun()});
    return run::chain(rounds);
  }

  void refuse_queued_readers(const StageRef& ref, run::Standings& standings) const {
    for (const auto& reader : followers(ref, whole_chain(), standings))
      if (const auto queued = queue_.find(reader); queued != queue_.end())
        throw ConfigurationError(to_string(ref) +
                                 " cannot be done again now: " + to_string(reader) +
                                 " needs it and is "
                                 "in the queue (job " +
                                 queued->second.job + ", " + describe(queued->second) +
                                 "); wait for it, or end the chain first: evd cancel " +
                                 shell_word(campaign_.root().string()));
  }

  void add_followers(const StageRef& ref, run::Standings& standings, PlanRequest& request) const {
    Worth worth;
    for (const auto& follower : followers(ref, whole_chain(), standings)) {
      request.stages.push_back(follower);
      if (standings.of(follower).state == State::unfinished) continue;
      request.rerun[follower] = "--rerun=stale";
      worth.add(standings.manifest(follower));
    }
    if (worth.stages > 0)
      std::cerr << "evd: " << worth.stages << " stages behind it are done again if its result "
                << "changes; they had " << worth.text()
                << ", of which none is paid again unless its request differs\n";
  }

  const SubmitOptions& options_;
  const run::Campaign& campaign_;
  const Queue& queue_;
  std::optional<StageRef> named_;
};

}  // namespace

std::optional<PlanRequest> wanted_stages(const SubmitOptions& options,
                                         const run::Campaign& campaign, const Queue& queue) {
  return Wanted(options, campaign, queue).request();
}

}  // namespace evd::hands
