#pragma once

#include <string>

#include "rehearsal/coverage.hpp"

namespace evd::rehearsal {

/// How much a cover looks like this word, written in large bold capitals around row `middle`:
/// the best normalised correlation with the word's own letter forms over small shifts and widths,
/// 0 to 1.
[[nodiscard]] double spelling_likeness(const std::string& word, const Coverage::Map& cover,
                                       double middle);

}  // namespace evd::rehearsal
