#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "judge/finding.hpp"
#include "shard/manifest.hpp"

namespace evd::judge {

/// A round decided: what judge publishes.
struct Decision {
  std::vector<shard::Sample> set;  ///< every sample ever, by id
  std::vector<shard::Pair> pairs;
  std::vector<shard::Answer> answers;  ///< all that the decisions rest on
  std::vector<shard::Metric> metrics;
  std::map<std::string, std::int64_t> tallies;
  shard::Counts counts;            ///< of comparisons: decided, refused, unreadable, open
  std::int64_t cost_microusd = 0;  ///< of the answers
};

/// D_r and the waiting list from (previous set, pictures, recorded answers, rules) and nothing
/// else: no clock, no rank, no order of arrival.
///  - a waiting prompt with a decided tournament becomes a member; one that all teachers refused,
///    or that failed for good, leaves with that reason;
///  - base against target: teacher better = stays and is expanded, base better = deleted, tie =
///    judge.on_tie, unjudgeable = stays; of the deleted some mutate (paper section 3);
///  - new prompts: the first by parent's id keeps a text that several wrote; the cap then takes
///    them by their own id, or displaces the members of smallest margin.
/// Items whose answers are missing stay as they were and count as open.
/// `plan` was made from `state`, or from what `state` is a copy of. A state that is moved in is
/// never in memory twice, and the plan's pointers end with the call.
[[nodiscard]] Decision decide(State state, const Rules& rules, const Plan& plan,
                              const Lookup& lookup);

/// The order that answers are published in: whatever order they came in, the file is the same.
void sort_answers(std::vector<shard::Answer>& answers);

/// What an unpublished round is refused for: ServiceError when more than judge.max_unjudged of the
/// comparisons have no verdict; `why` is what is known of the reason. `forgiven_open` open ones do
/// not count (budget spent on purpose).
void require_judged(const shard::Counts& counts, double max_unjudged, bool accept_partial,
                    std::int64_t forgiven_open, const std::string& why = "");

}  // namespace evd::judge
