#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harvest/input.hpp"
#include "run/program.hpp"
#include "teacher/spending.hpp"

namespace evd::harvest {

/// Phase 1 of a harvest: asks for every picture that no record has, until each has a recorded
/// outcome, the money is spent or a service is given up. Collective.
struct DrawingTask {
  const Input& input;
  const std::vector<std::size_t>& missing;  ///< places in input.draws, equal on all ranks
  std::int64_t main_microusd = 0;           ///< still free
  std::int64_t heldout_microusd = 0;
  std::shared_ptr<const teacher::Journals> journals;  ///< null = read them
  /// On rank 0: of the lines kMainLine, kHeldoutLine, made before `main_microusd` was found; null =
  /// no other job spends.
  std::shared_ptr<teacher::Spending> spending = nullptr;
};

/// What happened, over all ranks; on every rank the same.
struct Drawn {
  std::vector<std::string> services_down;
  std::vector<std::string> journal_files;
  bool budget_spent = false;
  double services_s = 0;            ///< this rank: until the embedded services had started
  std::int64_t first_asked_ms = 0;  ///< this rank: when the first request was announced; 0 = none
};

/// Stopped, on all ranks, when a signal came: what was under way has ended, or was left after 30 s.
[[nodiscard]] Drawn draw_missing(run::Context& context, const DrawingTask& task);

}  // namespace evd::harvest
