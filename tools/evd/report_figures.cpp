#include "report_figures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <unordered_map>

#include "core/text.hpp"

namespace evd::report {
namespace {

using Set = std::vector<shard::Sample>;
using ById = std::unordered_map<SampleId, const shard::Sample*>;

std::size_t teachers_drawn(const shard::Sample& sample) {
  const std::string& text = sample.teachers_drawn.text;
  return text.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '+'));
}

// Samples with a pair of this question that every teacher has drawn.
std::set<SampleId> comparable(const std::vector<shard::Pair>& pairs, const ById& by_id,
                              shard::Question question, std::size_t teachers) {
  std::set<SampleId> samples;
  for (const auto& pair : pairs) {
    if (pair.question != question || pair.split != shard::Split::train) continue;
    const auto found = by_id.find(pair.sample);
    if (found != by_id.end() && teachers_drawn(*found->second) == teachers)
      samples.insert(pair.sample);
  }
  return samples;
}

void count(std::array<Rate, kCategories.size()>& rates, const shard::Sample& sample, bool hit) {
  for (std::size_t c = 0; c < kCategories.size(); ++c) {
    if (!in_category(sample, c)) continue;
    ++rates[c].trials;
    rates[c].hits += hit ? 1 : 0;
  }
}

// The teacher of a discriminated pair that was preferred to the base's image; "" for none.
std::string winner_over_base(const shard::Pair& pair) {
  if (pair.verdict == shard::Verdict::a && pair.teacher_b.text == "base")
    return pair.teacher_a.text;
  if (pair.verdict == shard::Verdict::b && pair.teacher_a.text == "base")
    return pair.teacher_b.text;
  return "";
}

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

SetCounts count_set(const Set& set, int round) {
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

double Rate::share() const {
  return trials == 0 ? std::nan("") : static_cast<double>(hits) / static_cast<double>(trials);
}

std::map<std::string, TeacherRates> teacher_rates(const Set& set,
                                                  const std::vector<shard::Pair>& pairs) {
  ById by_id;
  std::set<std::string> teachers;
  for (const auto& sample : set) {
    by_id.emplace(sample.id, &sample);
    for (const auto& teacher : split(sample.teachers_drawn.text, '+'))
      if (!teacher.empty()) teachers.insert(teacher);
  }
  std::map<std::string, TeacherRates> rates;
  for (const auto& id : comparable(pairs, by_id, shard::Question::select, teachers.size()))
    for (const auto& teacher : teachers)
      count(rates[teacher].won, *by_id[id], by_id[id]->target_teacher.text == teacher);

  std::map<SampleId, std::string> beaten;
  for (const auto& pair : pairs)
    if (pair.question == shard::Question::discriminate)
      beaten[pair.sample] = winner_over_base(pair);
  for (const auto& id : comparable(pairs, by_id, shard::Question::discriminate, teachers.size()))
    for (const auto& teacher : teachers)
      count(rates[teacher].beat, *by_id[id], beaten[id] == teacher);
  return rates;
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
    figures.mean_bias += static_cast<double>(pair.bias);
    agreeing += orders_agree(pair) ? 1 : 0;
  }
  if (judged > 0) {
    figures.mean_bias /= static_cast<double>(judged);
    figures.agreeing = static_cast<double>(agreeing) / static_cast<double>(judged);
  }
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
