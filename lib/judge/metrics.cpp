#include "judge/metrics.hpp"

#include <algorithm>
#include <set>

#include "core/text.hpp"

namespace evd::judge {
namespace {

void add_to(ByCategory<std::int64_t>& counts, const ByCategory<bool>& in) {
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (in[i]) ++counts[i];
}

}  // namespace

ByCategory<bool> categories_of(const shard::Sample& sample) {
  return {true, sample.category_human, sample.category_text, sample.category_multi};
}

shard::Metric metric_row(int round, std::string_view stage, std::string_view metric,
                         std::string_view category, const std::string& teacher,
                         const Estimate& estimate) {
  return {.round = round,
          .stage = {std::string(stage)},
          .metric = {std::string(metric)},
          .category = {std::string(category)},
          .teacher = {teacher},
          .value = estimate.value,
          .low = estimate.low,
          .high = estimate.high,
          .count = estimate.count};
}

void Measures::selected(const shard::Sample& sample, const Item& item,
                        const Tournament& tournament) {
  std::set<std::string> teachers;
  for (const auto* picture : item.contestants) teachers.insert(picture->teacher);
  const bool all_judged =
      std::none_of(tournament.matches.begin(), tournament.matches.end(), [](const Match& match) {
        return !match.identical && match.outcome.verdict == shard::Verdict::unjudgeable;
      });
  if (item.drawn != item.contestants.size() || teachers.size() < 2 || !all_judged) return;
  for (const auto& teacher : teachers) {
    auto& rate = won_[teacher];
    add_to(rate.count, categories_of(sample));
    if (teacher == tournament.winner->teacher) add_to(rate.hits, categories_of(sample));
  }
}

void Measures::discriminated(const shard::Sample& sample, shard::Verdict verdict) {
  const auto& target = sample.target_teacher.text;
  const auto in = categories_of(sample);
  const auto hit = [&](const std::string& teacher) {
    auto& rate = beat_[teacher];
    add_to(rate.count, in);
    if (teacher == target && verdict == shard::Verdict::a) add_to(rate.hits, in);
  };
  const auto& configured = rules_.teachers;
  if (std::find(configured.begin(), configured.end(), target) == configured.end())
    return hit(target);
  const auto drawn = split(sample.teachers_drawn.text, '+');
  const bool all_drew = std::all_of(configured.begin(), configured.end(), [&](const auto& name) {
    return std::find(drawn.begin(), drawn.end(), name) != drawn.end();
  });
  if (!all_drew) return;
  for (const auto& teacher : configured) hit(teacher);
}

void Measures::compared(const Match& match) {
  if (match.identical || match.chosen_by != shard::ChosenBy::vlm) return;
  if (match.outcome.verdict == shard::Verdict::unjudgeable) {
    ++unjudgeable_;
    return;
  }
  biases_.push_back(match.outcome.bias);
  if (match.outcome.verdict == shard::Verdict::tie) ++ties_;
}

void Measures::count(const shard::Sample& sample) {
  const auto in = categories_of(sample);
  if (sample.status == shard::Status::waiting) add_to(waiting_, in);
  if (sample.status != shard::Status::member) return;
  add_to(members_, in);
  add_to(by_operation_.at(static_cast<std::size_t>(sample.operation)), in);
}

void Measures::add_rates(std::string_view metric, const std::map<std::string, Rate>& rates,
                         std::vector<shard::Metric>& rows) const {
  for (const auto& [teacher, rate] : rates)
    for (std::size_t i = 0; i < kCategories.size(); ++i)
      if (rate.count[i] > 0)
        rows.push_back(metric_row(rules_.round, "judge", metric, kCategories[i], teacher,
                                  wilson(static_cast<double>(rate.hits[i]), rate.count[i])));
}

void Measures::add_sizes(std::string_view metric, const ByCategory<std::int64_t>& sizes,
                         std::vector<shard::Metric>& rows) const {
  for (std::size_t i = 0; i < kCategories.size(); ++i) {
    const auto size = static_cast<double>(sizes[i]);
    rows.push_back(metric_row(rules_.round, "judge", metric, kCategories[i], "",
                              {size, size, size, sizes[i]}));
  }
}

std::vector<shard::Metric> Measures::rows() const {
  std::vector<shard::Metric> rows;
  add_rates("won_tournament", won_, rows);
  add_rates("beat_base", beat_, rows);
  add_sizes("members", members_, rows);
  add_sizes("waiting", waiting_, rows);
  for (std::size_t i = 0; i < by_operation_.size(); ++i)
    add_sizes("members_" + std::string(name(static_cast<shard::Operation>(i))), by_operation_[i],
              rows);
  const auto judged = std::ssize(biases_);
  const auto general = [&](std::string_view metric, const Estimate& estimate) {
    if (estimate.count > 0)
      rows.push_back(metric_row(rules_.round, "judge", metric, "all", "", estimate));
  };
  general("position_bias", mean_estimate(biases_));
  general("tie_rate", wilson(static_cast<double>(ties_), judged));
  general("unjudgeable_rate", wilson(static_cast<double>(unjudgeable_), judged + unjudgeable_));
  return rows;
}

}  // namespace evd::judge
