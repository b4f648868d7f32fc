#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "judge/answer_book.hpp"
#include "judge/picture_cache.hpp"
#include "run/program.hpp"
#include "teacher/journal.hpp"

namespace evd::judge {

/// What the asking of a stage ended with; equal on every rank where nothing else is said.
struct Asked {
  bool budget_spent = false;
  std::vector<std::string> services_down;        ///< with reason; of all ranks, on rank 0
  std::shared_ptr<const teacher::Journals> now;  ///< everything recorded; on rank 0
  double seconds = 0;
};

/// Questions that an item still needs, given the answers there are; empty = it is through.
using Needs = std::function<std::vector<Ask>(std::int64_t item, const Lookup& lookup)>;

/// Asks the VLM everything that `items` items need. Ranks share the items (run::Handout), each
/// drives its own sockets; every answer is recorded in the journal before it counts. Collective.
/// Throws Stopped on all ranks when a signal came to one.
[[nodiscard]] Asked interview(run::Context& context, const Rules& rules, std::int64_t items,
                              const Needs& needs, AnswerBook& book, PictureCache& pictures);

}  // namespace evd::judge
