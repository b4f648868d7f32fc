#include "harvest/standing.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace evd::harvest {
namespace {

void add(shard::Counts& counts, shard::Outcome outcome) {
  switch (outcome) {
    case shard::Outcome::ok:
      ++counts.done;
      break;
    case shard::Outcome::refused:
      ++counts.refused;
      break;
    case shard::Outcome::failed:
      ++counts.failed;
      break;
    case shard::Outcome::open:
      ++counts.open;
      break;
  }
}

std::string counted(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

Standing::Standing(const Input& input, const Archive& archive) {
  std::map<std::size_t, Prompt> by_sample;
  for (const auto& teacher : input.rules.teachers) by_teacher_[teacher.name] = {};
  for (const Draw& draw : input.draws) {
    const auto found = archive.find(draw.key);
    const auto outcome = found ? found->outcome : shard::Outcome::open;
    add(total_, outcome);
    add(by_teacher_[input.rules.teachers[draw.teacher].name], outcome);
    Prompt& prompt = by_sample[draw.sample];
    prompt.is_late = input.is_heldout(draw) && input.rules.round > 0;
    ++prompt.asked;
    prompt.ok += outcome == shard::Outcome::ok ? 1 : 0;
    prompt.open += outcome == shard::Outcome::open ? 1 : 0;
  }
  for (const auto& [sample, prompt] : by_sample) prompts_.push_back(prompt);
}

std::int64_t Standing::short_prompts(int min_teachers) const {
  return std::count_if(prompts_.begin(), prompts_.end(), [&](const Prompt& prompt) {
    return !prompt.is_late && prompt.open > 0 && prompt.ok < std::min(min_teachers, prompt.asked);
  });
}

std::int64_t Standing::undrawn_prompts() const {
  return std::count_if(prompts_.begin(), prompts_.end(),
                       [](const Prompt& prompt) { return prompt.open > 0 && prompt.ok == 0; });
}

void Standing::count(run::Result& result) const {
  result.counts = total_;
  result.by_teacher = by_teacher_;
  result.tallies["prompts"] = static_cast<std::int64_t>(prompts_.size());
  result.tallies["prompts_undrawn"] = undrawn_prompts();
  result.tallies["prompts_without_image"] =
      std::count_if(prompts_.begin(), prompts_.end(),
                    [](const Prompt& prompt) { return prompt.open == 0 && prompt.ok == 0; });
}

std::string Standing::summary() const {
  std::string text = counted(total_.done, "image") + " for " +
                     counted(static_cast<std::int64_t>(prompts_.size()), "prompt");
  std::vector<std::string> others;
  if (total_.refused > 0) others.push_back(std::to_string(total_.refused) + " refused");
  if (total_.failed > 0) others.push_back(std::to_string(total_.failed) + " failed");
  if (total_.open > 0) others.push_back(std::to_string(total_.open) + " open");
  if (!others.empty()) text += " (" + join(others, ", ") + ")";
  return text;
}

Verdict judge_partial(const Standing& standing, const PartialQuestion& question) {
  // A service that rejects all it is asked is broken, or asked wrongly: no prompt's own fault.
  if (standing.nothing_came() && !question.accept_partial)
    return {false, "not one of " + counted(standing.failed(), "image") +
                       " came, all failed for good (the warnings above say why); nothing is "
                       "published; when the cause is gone, start again with --rerun=failed, or "
                       "publish the failures with --accept-partial"};
  if (standing.open() == 0) return {};
  const std::string open = counted(standing.open(), "image") + " still open";
  const std::int64_t lacking = standing.short_prompts(question.harvest.min_teachers);
  if (!question.services_down.empty()) {
    const std::string down = join(question.services_down, "; ");
    if (lacking > 0 && !question.accept_partial)
      return {false,
              "a service is unavailable: " + down + " (" + open + ", " +
                  counted(lacking, "prompt") + " with fewer images than harvest.min_teachers = " +
                  std::to_string(question.harvest.min_teachers) +
                  "; all answers are kept; start again when it is back, give "
                  "--accept-partial" +
                  (question.harvest.min_teachers > 1 ? ", or lower that key with evd set)" : ")")};
    return {true, "without " + down + ": " + open};
  }
  if (question.budget_spent) {
    const std::string spent = "the budget is spent: " + open + ", " +
                              counted(standing.undrawn_prompts(), "prompt") +
                              " without any image keep waiting";
    const std::string raise = " (raise budget.usd or budget.heldout_usd";
    if (question.harvest.on_budget == run::OnBudget::hold && !question.accept_partial)
      return {false, spent + raise + " and start again; harvest.on_budget = hold)"};
    return {true, spent + raise + ": the next round draws what is open; or --rerun=failed)"};
  }
  if (question.accept_partial) return {true, open};
  return {false, open + " (start again)"};
}

}  // namespace evd::harvest
