#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/prompt_source.hpp"

namespace evd::data {

/// Lines of one kind that were not taken, or need a word.
struct Remark {
  std::int64_t count = 0;
  std::vector<std::int64_t> first_lines;  ///< at most kShownLines
  static constexpr std::size_t kShownLines = 5;
  void add(std::int64_t line);
  /// "(line 3)", "(lines 1, 2, 3, 4, 5, ...)".
  [[nodiscard]] std::string where() const;
};

/// By reason, such as "blank" or "duplicate".
using Remarks = std::map<std::string, Remark>;

/// "  2 blank (lines 1, 3)\n", a line for each reason.
[[nodiscard]] std::string text_of(const Remarks& remarks);

/// A line's canonical text; nothing when it is refused, which is remarked. Every program that reads
/// a user's prompts refuses the same lines in the same words.
[[nodiscard]] std::optional<std::string> take_text(const RawPrompt& raw, std::size_t max_chars,
                                                   Remarks& remarks);

}  // namespace evd::data
