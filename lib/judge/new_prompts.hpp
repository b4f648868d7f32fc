#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "judge/rules.hpp"
#include "shard/rows.hpp"

namespace evd::judge {

/// A waiting prompt made from `parent`, at the parent's size, categorised by rules.
[[nodiscard]] shard::Sample child_of(const shard::Sample& parent, shard::Operation operation,
                                     const std::string& text, int round);

/// Adds new prompts to `set`. `born` comes in the order of parents' ids: the first keeps a text
/// that several parents got. The cap (members + waiting) acts here, before anything is drawn: new
/// prompts are taken by id; with cap.policy = displace, judged members of smallest margin leave for
/// them, then the oldest that were never judged. Tallies: dropped_repeats, new_prompts, capped,
/// displaced.
void admit(std::vector<shard::Sample> born, const Rules& rules, std::vector<shard::Sample>& set,
           std::map<std::string, std::int64_t>& tallies);

}  // namespace evd::judge
