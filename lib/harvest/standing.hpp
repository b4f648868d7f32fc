#pragma once

#include <map>
#include <string>
#include <vector>

#include "harvest/archive.hpp"
#include "harvest/input.hpp"
#include "run/config.hpp"
#include "run/program.hpp"

namespace evd::harvest {

/// How far a harvest has come, from its records.
class Standing {
 public:
  Standing(const Input& input, const Archive& archive);

  /// Draws without a recorded outcome.
  [[nodiscard]] std::int64_t open() const { return total_.open; }
  [[nodiscard]] std::int64_t failed() const { return total_.failed; }
  /// Something failed for good, and nothing else ever came.
  [[nodiscard]] bool nothing_came() const {
    return total_.failed > 0 && total_.done == 0 && total_.refused == 0;
  }
  /// Prompts that have open draws and fewer pictures than `min_teachers` (or than the teachers that
  /// were asked, if those are fewer). Held-out ones count in round 0 only.
  [[nodiscard]] std::int64_t short_prompts(int min_teachers) const;
  /// Prompts that nobody has drawn a picture of and somebody still may.
  [[nodiscard]] std::int64_t undrawn_prompts() const;
  void count(run::Result& result) const;
  /// "46 images for 12 prompts (1 refused, 1 failed)".
  [[nodiscard]] std::string summary() const;

 private:
  struct Prompt {
    int asked = 0;
    int ok = 0;
    int open = 0;
    bool is_late = false;  ///< held out, left open by an earlier round: no reason to wait again
  };
  std::vector<Prompt> prompts_;
  shard::Counts total_;
  std::map<std::string, shard::Counts> by_teacher_;
};

/// Whether a harvest that is not whole is published.
struct PartialQuestion {
  const std::vector<std::string>& services_down;
  bool budget_spent = false;
  const run::HarvestOptions& harvest;
  bool accept_partial = false;
};
struct Verdict {
  bool publish = true;
  std::string why;  ///< what is missing and what to do; empty when nothing is missing
};
[[nodiscard]] Verdict judge_partial(const Standing& standing, const PartialQuestion& question);

}  // namespace evd::harvest
