#pragma once

#include <optional>
#include <span>
#include <vector>

#include "judge/inquiry.hpp"
#include "vlm/combine.hpp"

namespace evd::judge {

/// Two pictures of one prompt, compared in both orders.
struct Match {
  shard::Question purpose = shard::Question::select;
  const shard::Sample* sample = nullptr;
  const Picture* a = nullptr;
  const Picture* b = nullptr;
  vlm::Combined outcome;
  shard::ChosenBy chosen_by = shard::ChosenBy::vlm;
  bool identical = false;  ///< equal bytes: a tie without a question
};

/// Compares a and b; nothing while an order's answer is missing (both are asked at once).
[[nodiscard]] std::optional<Match> compare(Inquiry& inquiry, shard::Question purpose,
                                           const shard::Sample& sample, const Picture& a,
                                           const Picture& b);

/// Who won a prompt: king of the hill, the winner stays and meets the next. A tie or a pair that
/// cannot be judged keeps the incumbent.
struct Tournament {
  bool complete = false;
  const Picture* winner = nullptr;
  const Picture* runner_up = nullptr;  ///< loser of the last match; null when there was none
  std::vector<Match> matches;
};

/// Order of the contestants, by campaign seed and prompt; the same in every round, so that a
/// tournament that was left open goes on with the answers it has.
[[nodiscard]] std::vector<const Picture*> drawn_order(const Rules& rules,
                                                      const shard::Sample& sample,
                                                      std::span<const Picture* const> contestants);
/// One contestant wins without a question. Precondition: at least one.
[[nodiscard]] Tournament tournament(Inquiry& inquiry, const shard::Sample& sample,
                                    std::span<const Picture* const> contestants);

/// Base against target, as judge.choose says: by the VLM, by chance, or the target always.
/// a = target, so a positive margin means that the teacher is better.
[[nodiscard]] std::optional<Match> discriminate(Inquiry& inquiry, const shard::Sample& sample,
                                                const Picture& target, const Picture& render);

/// The match as a table row.
[[nodiscard]] shard::Pair pair_row(const Match& match, const Rules& rules);

}  // namespace evd::judge
