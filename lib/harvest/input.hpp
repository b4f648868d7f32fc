#pragma once

#include <string>
#include <vector>

#include "harvest/archive.hpp"
#include "harvest/plan.hpp"
#include "run/program.hpp"

namespace evd::harvest {

/// Names of the budget lines, as the journals have them.
constexpr const char* kMainLine = "main";
constexpr const char* kHeldoutLine = "heldout";

/// What a harvest works from, equal on all ranks.
struct Input {
  std::vector<shard::Sample> set;
  PlanRules rules;
  std::vector<Draw> draws;  ///< all that the result will hold, in its order

  [[nodiscard]] bool is_heldout(const Draw& draw) const {
    return set[draw.sample].status == shard::Status::heldout;
  }
};

/// Reads the set that waits for pictures (init's for round 0, else the judge's before), the
/// held-out pictures that the harvest before left open, and what the draw policy wants to know.
[[nodiscard]] Input read_input(const run::Context& context);

/// Which repeat of its questions this result is made of: 0; one more for each `--rerun=fresh`. The
/// newest one that was begun goes on being used. A fresh one notes its number in the stage's
/// directory before it asks, so that it goes on after a kill without paying a third time.
[[nodiscard]] int choose_sample_index(const run::Context& context, const Input& input,
                                      const Archive& archive);

}  // namespace evd::harvest
