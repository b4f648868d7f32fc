#pragma once

#include <optional>

#include "shard/rows.hpp"

namespace evd::vlm {

/// Two verdicts about the same pair, one in each order, without the judge's pull to one place.
struct Combined {
  float p_ab = 0.5F;         ///< P(first better) with a shown first
  float p_ba = 0.5F;         ///< P(first better) with b shown first
  float probability = 0.5F;  ///< P(a better)
  float margin = 0;          ///< s = (l1 - l2) / 2, in logits; > 0 = a better
  float bias = 0;            ///< b = (l1 + l2) / 2: > 0 = pull to the first place
  shard::Verdict verdict = shard::Verdict::unjudgeable;
};

/// With l1 = logit p_ab and l2 = logit p_ba, an additive position bias cancels in s and
/// P(a better) = sigmoid(s) (apis 3.4). Probabilities are clamped to [1e-6, 1 - 1e-6]; |s| below
/// `tie_margin` is a tie; a missing order makes the pair unjudgeable.
[[nodiscard]] Combined combine(std::optional<float> p_ab, std::optional<float> p_ba,
                               double tie_margin);

}  // namespace evd::vlm
