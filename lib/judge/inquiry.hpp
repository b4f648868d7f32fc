#pragma once

#include <functional>
#include <vector>

#include "judge/picture.hpp"
#include "judge/rules.hpp"
#include "shard/rows.hpp"
#include "vlm/questions.hpp"

namespace evd::judge {

/// One question to the VLM, ready to be sent.
struct Ask {
  shard::Question purpose = shard::Question::select;
  const shard::Sample* sample = nullptr;
  const Picture* first = nullptr;   ///< null = none
  const Picture* second = nullptr;  ///< null = none
  Extent shown;                     ///< size of the pictures
  int attempt = 0;                  ///< from 0; counts earlier askings of the same question
  vlm::Question question;
  RequestKey key;
};

/// The recorded answer to a question, or null when there is none (yet). The same decisions are
/// computed while answers come in and at the end, only with another lookup.
using Lookup = std::function<const shard::Answer*(const Ask&)>;

/// How a question stands.
enum class Standing {
  answered,
  unusable,  ///< asked max_asks times, never readable
  refused,   ///< the VLM will not answer
  failed,    ///< the service gave a final error
  missing    ///< not asked yet, or left open by the service
};

/// Asks on behalf of one item, through the recorded answers, and keeps what was used and what is
/// still to be asked.
class Inquiry {
 public:
  Inquiry(const Rules& rules, const Lookup& lookup) : rules_(rules), lookup_(lookup) {}

  struct Posed {
    Standing standing = Standing::missing;
    const shard::Answer* answer = nullptr;  ///< set when answered
  };
  /// Follows one question over its attempts: `make(attempt)` words it, `usable` reads it. A reply
  /// that cannot be used is asked for again, up to judge.max_asks.
  Posed pose(const std::function<Ask(int attempt)>& make,
             const std::function<bool(const shard::Answer&)>& usable);

  [[nodiscard]] const Rules& rules() const { return rules_; }
  /// Questions without an answer: what has to be asked next. All of them can be asked at once.
  [[nodiscard]] std::vector<Ask>& missing() { return missing_; }
  /// Answers that the item's decisions rest on, in the order they were looked up.
  [[nodiscard]] const std::vector<const shard::Answer*>& used() const { return used_; }
  /// True when an answer was left open by the service (time-out, budget, stop).
  [[nodiscard]] bool left_open() const { return left_open_; }

 private:
  const Rules& rules_;
  const Lookup& lookup_;
  std::vector<Ask> missing_;
  std::vector<const shard::Answer*> used_;
  bool left_open_ = false;
};

/// Fills in the request key from everything that makes the question what it is.
void seal(Ask& ask, const Rules& rules);

}  // namespace evd::judge
