#pragma once

#include <cstdint>
#include <string>

#include "run/campaign.hpp"
#include "run/lease.hpp"
#include "run/staleness.hpp"

namespace evd::hands {

/// How a stage looks to a person: what is published, who runs it, how its last life ended.
/// queued and cancelled: what Slurm says of a submitted one (queue_view.hpp).
enum class Look : std::uint8_t {
  done,
  stale,
  damaged,
  running,
  stopped,
  failed,
  killed,
  waiting,
  queued,
  cancelled
};
[[nodiscard]] std::string_view name_of(Look look);

struct Situation {
  Look look = Look::waiting;
  std::string story;    ///< why, who, how far; empty for done and waiting
  std::string command;  ///< what to type; empty when nothing is to be done about this stage alone
};

/// `observer` and `probes` decide whether a lease's holder lives.
[[nodiscard]] Situation situation_of(const run::Campaign& campaign, const run::StageRef& ref,
                                     run::Standings& standings, const run::LeaseRecord& observer,
                                     const run::LeaseProbes& probes);

}  // namespace evd::hands
