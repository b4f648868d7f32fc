#include "judge/inquiry.hpp"

#include "core/text.hpp"
#include "teacher/key.hpp"

namespace evd::judge {
namespace {

// Attempts of different epochs never meet in one key.
constexpr int kAttemptsPerEpoch = 1000;

}  // namespace

void seal(Ask& ask, const Rules& rules) {
  ask.question.dialect = rules.dialect;
  std::string parameters = ask.question.parameters();
  for (const auto* picture : {ask.first, ask.second})
    if (picture != nullptr)
      parameters +=
          format(" %s@%dx%d", picture->sha256.hex().c_str(), ask.shown.width, ask.shown.height);
  ask.key =
      teacher::request_key({.service = rules.service,
                            .model = rules.model,
                            .prompt = ask.question.text(),
                            .parameters = parameters,
                            .sample_index = rules.ask_epoch * kAttemptsPerEpoch + ask.attempt});
}

Inquiry::Posed Inquiry::pose(const std::function<Ask(int attempt)>& make,
                             const std::function<bool(const shard::Answer&)>& usable) {
  int unusable = 0;
  for (int attempt = 0;; ++attempt) {
    Ask ask = make(attempt);
    ask.attempt = attempt;
    seal(ask, rules_);
    const auto* answer = lookup_(ask);
    if (answer == nullptr) {
      missing_.push_back(std::move(ask));
      return {Standing::missing, nullptr};
    }
    if (answer->outcome == shard::Outcome::open) {
      left_open_ = true;
      return {Standing::missing, nullptr};
    }
    used_.push_back(answer);
    if (answer->outcome == shard::Outcome::refused) return {Standing::refused, nullptr};
    if (answer->outcome == shard::Outcome::failed) return {Standing::failed, nullptr};
    if (usable(*answer)) return {Standing::answered, answer};
    if (++unusable >= rules_.judge.max_asks) return {Standing::unusable, nullptr};
  }
}

}  // namespace evd::judge
