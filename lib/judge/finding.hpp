#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_set>
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
  std::optional<shard::Operation> wants;          ///< new prompts: expand or mutate
  bool may_write = false;                         ///< and it has leave to ask for them
  Standing written = Standing::missing;           ///< how that question stands
  std::vector<std::string> texts;                 ///< new prompts, checked; may still repeat those
                                                  ///< of other samples
  std::map<vlm::Drop, int> dropped;
  std::vector<Ask> missing;                ///< what has to be asked next
  std::vector<const shard::Answer*> used;  ///< what it rests on
  bool left_open = false;                  ///< the service left a question open
};

/// Which items may ask for new prompts.
class Leave {
 public:
  /// What can be told without an answer: everybody, or (rationed, none) nobody.
  explicit Leave(const Plan& plan) : all_(plan.writing == Writing::free) {}
  void give(std::size_t sample) { samples_.insert(sample); }
  [[nodiscard]] bool has(const Item& item) const { return all_ || samples_.contains(item.sample); }
  /// Indices in State::set of those that were given it one by one.
  [[nodiscard]] const std::unordered_set<std::size_t>& samples() const { return samples_; }

 private:
  bool all_;
  std::unordered_set<std::size_t> samples_;
};

/// Follows an item as far as the recorded answers go: the tournament, or base against target, then
/// what follows from it (teacher better: variations; a deleted prompt: by chance a mutation). The
/// same function drives the asking and makes the final decision, so a resumed run asks exactly
/// what is missing.
[[nodiscard]] Finding follow(const Item& item, const State& state, const Plan& plan,
                             const Leave& leave, const Rules& rules, const Lookup& lookup);

/// Under a cap that may bind: once the comparisons are answered, the room that is left goes to the
/// prompts that want to write in the order of their ids. Anything else: Leave(plan).
[[nodiscard]] Leave leave_to_write(const State& state, const Plan& plan, const Rules& rules,
                                   const Lookup& lookup);

/// False when an item can be decided without the VLM whatever happens; cheap.
[[nodiscard]] bool may_ask(const Item& item, const Leave& leave, const Rules& rules);

}  // namespace evd::judge
