#pragma once

#include <optional>
#include <vector>

#include "judge/decide.hpp"

namespace evd::judge {

/// What score measures on; plain data.
struct ScoreState {
  std::vector<shard::Sample> prompts;  ///< held-out, by id
  std::vector<Picture> renders;        ///< the base model's, by prompt
  std::vector<Picture> drawn;          ///< the teachers', by (prompt, teacher)
  bool ceiling = false;                ///< ask for the alignment of the teachers' pictures too
};

/// Puts everything in the order that ScoreState promises and keeps judge.score_prompts of the
/// prompts, chosen by seed: the same in every round, so that curves compare like with like.
void choose_prompts(ScoreState& state, const Rules& rules);

/// One held-out prompt with all that is asked about it.
struct ScoreItem {
  const shard::Sample* sample = nullptr;
  const Picture* render = nullptr;
  std::vector<const Picture*> rivals;  ///< teachers' pictures that came
};
/// Prompts without a render are left out.
[[nodiscard]] std::vector<ScoreItem> score_items(const ScoreState& state);

struct ScoreFinding {
  struct Alignment {
    const Picture* picture = nullptr;
    std::optional<float> score;  ///< nothing = unreadable or refused
  };
  bool complete = false;
  std::vector<Match> matches;         ///< a = teacher, b = base
  std::vector<Alignment> alignments;  ///< of the render first, then of the rivals (ceiling)
  std::vector<Ask> missing;
  std::vector<const shard::Answer*> used;
};
[[nodiscard]] ScoreFinding follow_score(const ScoreItem& item, const ScoreState& state,
                                        const Rules& rules, const Lookup& lookup);

/// Metrics, per category with 95 % intervals:
///   win_share          of the base model against each teacher, ties half (Wilson)
///   alignment          of the base model's pictures, 0..1 (mean, normal interval)
///   alignment_teacher  of each teacher's pictures: the ceiling, with the start weights only
///   position_bias      mean pull to the first place, in logits
/// The set of a score is empty.
[[nodiscard]] Decision decide_score(const ScoreState& state, const Rules& rules,
                                    const Lookup& lookup);

}  // namespace evd::judge
