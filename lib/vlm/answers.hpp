#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shard/rows.hpp"

namespace evd::vlm {

/// What a probability was taken from, best first.
enum class Evidence : std::uint8_t { token, confidence, word, none };

/// A verdict as read. `p_first` is P(picture A is better), already rounded to what a table keeps,
/// so that a decision is the same from a fresh reply and from a stored one.
struct VerdictReading {
  shard::Choice choice = shard::Choice::unparsed;
  float p_first = 0.5F;
  Evidence evidence = Evidence::none;
};

/// Reads the reply to a verdict question: JSON anywhere in it, else prose; two verdicts that differ
/// are none. The probability comes from the log-probabilities of the winner's token when they cover
/// at least half of it (`logprobs_json` = choices[0].logprobs or ""), else from the confidence,
/// else from the verdict alone. A tie token counts half for either side. Never throws.
[[nodiscard]] VerdictReading read_verdict(std::string_view reply, std::string_view logprobs_json);

/// The descriptions in the reply to a variations question, untrusted and in order; at most
/// `count`. Empty when nothing can be read; a bare string is no list.
[[nodiscard]] std::vector<std::string> read_variations(std::string_view reply, int count);

/// The description in the reply to a mutation question, untrusted.
[[nodiscard]] std::optional<std::string> read_mutation(std::string_view reply);

/// The score in the reply to an alignment question, as 0..1.
[[nodiscard]] std::optional<float> read_alignment(std::string_view reply);

}  // namespace evd::vlm
