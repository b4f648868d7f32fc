#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shard/rows.hpp"

namespace evd::vlm {

/// A verdict and where the deciding letter or word stands.
struct ProseVerdict {
  shard::Choice choice = shard::Choice::unparsed;
  std::size_t at = 0;
};

/// Reads a verdict from free text: "Image A is better", "the winner is (B)", "neither". Every claim
/// in the text has to agree: a text that praises both, or denies one, is unparsed, so that naming
/// the options is never a win by itself (the authors' code tests for one phrase first).
[[nodiscard]] ProseVerdict prose_verdict(std::string_view text);

/// Items of a numbered or bulleted list, markers and quotes removed. Empty when there is none.
[[nodiscard]] std::vector<std::string> prose_list(std::string_view text);

/// One paragraph that a reply consists of, without a label ("Description:") and quotes. Nothing
/// when the reply has more than one paragraph besides a lead-in that ends in a colon.
[[nodiscard]] std::optional<std::string> prose_paragraph(std::string_view text);

/// "I'm sorry, but I can't ..." and its kin.
[[nodiscard]] bool is_refusal(std::string_view text);

}  // namespace evd::vlm
