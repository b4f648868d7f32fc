#include "report_figures.hpp"

#include <numeric>

namespace evd::report {
namespace {

bool orders_agree(const shard::Pair& pair) {
  return (pair.p_ab > 0.5F && pair.p_ba < 0.5F) || (pair.p_ab < 0.5F && pair.p_ba > 0.5F) ||
         (pair.p_ab == 0.5F && pair.p_ba == 0.5F);
}

}  // namespace

std::string category_text(std::string_view category) {
  if (category == "human") return "people";
  if (category == "text") return "written text";
  if (category == "multi") return "several objects";
  return "all prompts";
}

bool in_category(const shard::Sample& sample, std::size_t index) {
  switch (index) {
    case 1:
      return sample.category_human;
    case 2:
      return sample.category_text;
    case 3:
      return sample.category_multi;
    default:
      return true;
  }
}

std::int64_t SetCounts::all_members() const {
  return std::accumulate(members.begin(), members.end(), std::int64_t{0});
}

std::int64_t SetCounts::all_removed() const {
  return std::accumulate(removed.begin(), removed.end(), std::int64_t{0});
}

SetCounts count_set(const std::vector<shard::Sample>& set, int round) {
  using enum shard::Status;
  SetCounts counts{.round = round};
  for (const auto& sample : set) {
    if (sample.status == heldout) continue;
    if (sample.status == member) ++counts.members[static_cast<std::size_t>(sample.operation)];
    if (sample.status == waiting) ++counts.waiting;
    if (sample.status != member && sample.status != waiting)
      ++counts.removed[static_cast<std::size_t>(sample.removed_why)];
    if (sample.round_added == round && (sample.operation == shard::Operation::expand ||
                                        sample.operation == shard::Operation::mutate))
      ++counts.added;
  }
  return counts;
}

JudgeFigures judge_figures(run::StageRef ref, const std::vector<shard::Pair>& pairs,
                           const std::vector<shard::Answer>& answers) {
  JudgeFigures figures{.ref = ref};
  std::int64_t judged = 0;
  std::int64_t agreeing = 0;
  for (const auto& pair : pairs) {
    if (pair.chosen_by != shard::ChosenBy::vlm) continue;
    ++figures.pairs;
    figures.ties += pair.verdict == shard::Verdict::tie ? 1 : 0;
    if (pair.verdict == shard::Verdict::unjudgeable) {
      ++figures.unjudgeable;
      continue;
    }
    ++judged;
    agreeing += orders_agree(pair) ? 1 : 0;
  }
  if (judged > 0) figures.agreeing = static_cast<double>(agreeing) / static_cast<double>(judged);
  for (const auto& answer : answers) {
    using enum shard::Question;
    const bool compares =
        answer.question == select || answer.question == discriminate || answer.question == score;
    if (answer.outcome != shard::Outcome::ok) continue;
    ++figures.answers;
    figures.unparsed += compares && answer.choice == shard::Choice::unparsed ? 1 : 0;
  }
  return figures;
}

void add_calls(CallsByService& sums, const std::vector<shard::Call>& calls) {
  for (const auto& call : calls) {
    CallFigures& figures = sums[call.service.text];
    ++figures.attempts;
    figures.failed += call.outcome == shard::Outcome::ok ? 0 : 1;
    figures.ambiguous += call.ambiguous ? 1 : 0;
    figures.cost_microusd += call.cost_microusd;
  }
}

}  // namespace evd::report
