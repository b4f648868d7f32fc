#pragma once

#include "run/program.hpp"

namespace evd::judge {

/// judge(r): select, discriminate, expand, delete, mutate, cap. Reads the previous set, harvest(r)
/// and evaluate(r-1); publishes set.h5 (D_r and the waiting list), answers.h5, pairs.h5, metrics.h5
/// and calls.h5. ServiceError when more than judge.max_unjudged has no verdict: nothing is
/// published then, and every answer is kept.
[[nodiscard]] run::Result run_judge(run::Context& context);

/// score(r): held-out renders of evaluate(r) against the teachers' pictures, in pairs, and their
/// alignment by itself. Publishes answers.h5, pairs.h5, metrics.h5 and calls.h5; never a set.
[[nodiscard]] run::Result run_score(run::Context& context);

}  // namespace evd::judge
