#pragma once

#include <span>

#include "judge/answer_book.hpp"
#include "judge/plan.hpp"
#include "judge/scoring.hpp"
#include "run/program.hpp"
#include "shard/catalog.hpp"

namespace evd::judge {

/// The previous set, harvest's pictures, the renders of the round before and the targets of the
/// rendered members, from published files. DataError when one is damaged or missing.
[[nodiscard]] State load_state(const run::Context& context, const Rules& rules,
                               const shard::Catalog& catalog);
/// Held-out prompts, the renders of this round and the teachers' pictures of harvest(0) and of the
/// later harvests that the renders' set rests on, which draw what was left open.
[[nodiscard]] ScoreState load_score_state(const run::Context& context, const Rules& rules);

/// Answers that are published already: in retired results of this stage and round, and, for
/// judge(r), in judge(r-1), whose open tournaments go on here. Keys of other results cannot come
/// again: a verdict's holds the pictures, a variation's the children so far.
void take_published(const run::Context& context, const std::unordered_set<SampleId>& samples,
                    AnswerBook& book);

/// How often all questions have been asked anew (--rerun=fresh), counting this attempt; remembered
/// in asking.json of the stage's directory, also of the retired ones. Rank 0 writes it; collective.
[[nodiscard]] int ask_epoch(const run::Context& context);

}  // namespace evd::judge
