#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "judge/matches.hpp"
#include "judge/plan.hpp"

namespace evd::judge {

/// What is found out about one item from the answers there are.
struct Finding {
  bool decided = false;        ///< the winner, or base against target, is known
  bool complete = false;       ///< nothing is missing, follow-up questions included
  Tournament tournament;       ///< select
  std::optional<Match> match;  ///< discriminate
  shard::Removal removal = shard::Removal::none;  ///< discriminate: why the prompt is deleted
  std::optional<shard::Operation> writes;         ///< expand or mutate, when asked for
  Standing written = Standing::missing;           ///< how that question stands
  std::vector<std::string> texts;                 ///< new prompts, checked; may still repeat those
                                                  ///< of other samples
  std::map<vlm::Drop, int> dropped;
  std::vector<Ask> missing;                ///< what has to be asked next
  std::vector<const shard::Answer*> used;  ///< what it rests on
  bool left_open = false;                  ///< the service left a question open
};

/// Follows an item as far as the recorded answers go: the tournament, or base against target, then
/// what follows from it (teacher better: variations; a deleted prompt: by chance a mutation). The
/// same function drives the asking and makes the final decision, so a resumed run asks exactly
/// what is missing.
[[nodiscard]] Finding follow(const Item& item, const State& state, const Plan& plan,
                             const Rules& rules, const Lookup& lookup);

/// False when an item can be decided without the VLM whatever happens; cheap.
[[nodiscard]] bool may_ask(const Item& item, const Plan& plan, const Rules& rules);

}  // namespace evd::judge
