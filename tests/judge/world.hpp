#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "judge/decide.hpp"

namespace evd::judge::test {

/// A picture whose quality is known, so that a simulated VLM can compare it.
[[nodiscard]] Picture picture(const SampleId& prompt, const std::string& teacher, int order,
                              const std::string& content);
[[nodiscard]] shard::Sample sample(const std::string& prompt, shard::Status status);
/// Logits that a picture of this content is worth; from its bytes' digest, in -3..3.
[[nodiscard]] double quality(const Sha256& content);

/// A VLM in memory: answers every question from the pictures' qualities, with a pull to the first
/// place, and remembers what it was asked.
class FakeVlm {
 public:
  double bias = 0.4;
  double unreadable = 0;  ///< share of replies that cannot be read
  std::string tag;        ///< makes the new prompts of two VLMs differ
  /// Own answers for some questions: outcome open = none recorded.
  std::function<bool(const Ask&, shard::Answer&)> instead;

  [[nodiscard]] const shard::Answer* answer(const Ask& ask);
  [[nodiscard]] Lookup lookup() {
    return [this](const Ask& ask) { return answer(ask); };
  }
  /// Only what was asked before.
  [[nodiscard]] Lookup recorded() {
    return [this](const Ask& ask) {
      const auto found = answers.find(ask.key);
      return found == answers.end() ? nullptr : &found->second;
    };
  }
  std::unordered_map<RequestKey, shard::Answer> answers;
  std::vector<shard::Question> asked;
};

struct Size {
  int members = 0;
  int waiting = 0;
  int heldout = 0;
  int teachers = 2;
  double render_share = 0.5;
};
/// A set with pictures of all kinds: refused, failed and open ones too.
[[nodiscard]] State world(std::uint64_t seed, const Size& size);
[[nodiscard]] Rules rules(int teachers = 2);

/// Decides with a VLM that answers everything.
[[nodiscard]] Decision decided(const State& state, const Rules& rules, FakeVlm& vlm);
[[nodiscard]] std::int64_t count(const Decision& decision, shard::Status status);
[[nodiscard]] const shard::Sample& row(const Decision& decision, const SampleId& id);

}  // namespace evd::judge::test
