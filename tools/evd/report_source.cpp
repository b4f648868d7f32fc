#include "report_source.hpp"

#include <algorithm>

namespace evd::report {

Source::Source(const run::Campaign& campaign)
    : campaign_(campaign), catalog_(campaign.root()), rounds_(campaign.rounds_begun()) {
  problems_ = catalog_.problems();
  using enum run::Stage;
  find_stage(init, 0);
  for (const auto stage : {evaluate, score}) find_stage(stage, run::kStartRound);
  for (int round = 0; round < rounds_; ++round)
    for (const auto stage : {harvest, judge, train, evaluate, score}) find_stage(stage, round);
}

void Source::find_stage(run::Stage stage, int round) {
  const run::StageRef ref{stage, round};
  try {
    if (auto manifest = campaign_.manifest(ref))
      stages_.push_back({ref, campaign_.directory(ref), std::move(*manifest)});
  } catch (const Error& error) {
    note_problem(error.what());
  }
}

const StageResult* Source::stage(run::Stage which, int round) const {
  const run::StageRef wanted{which, round};
  const auto found = std::find_if(stages_.begin(), stages_.end(),
                                  [&](const StageResult& result) { return result.ref == wanted; });
  return found == stages_.end() ? nullptr : &*found;
}

}  // namespace evd::report
