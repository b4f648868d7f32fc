#pragma once

#include <cstddef>

#include "core/code_points.hpp"

namespace evd::nn {

using TextView = CodePointsView;

/// True where a word begins or ends: between text[at - 1] and text[at].
[[nodiscard]] bool is_boundary(TextView text, std::size_t at);
/// True when `what` stands at `at`.
[[nodiscard]] bool stands_at(TextView text, std::size_t at, TextView what);
/// True when `c` is one of `set`.
[[nodiscard]] inline bool is_one_of(char32_t c, TextView set) {
  return set.find(c) != TextView::npos;
}
/// The first place from `at` on whose character does not satisfy `is`.
template <class Is>
[[nodiscard]] std::size_t run_end(TextView text, std::size_t at, Is is) {
  while (at < text.size() && is(text[at])) ++at;
  return at;
}

/// Where what a rule finds at `at` ends; `at` itself when it finds nothing there.
using Rule = std::size_t (*)(TextView text, std::size_t at);
/// All that the rule finds, from left to right and without overlap, replaced.
[[nodiscard]] CodePoints replaced(TextView text, Rule rule, TextView by = U"");

/// Without white space at both ends.
[[nodiscard]] TextView stripped(TextView text);

}  // namespace evd::nn
