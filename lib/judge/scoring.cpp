#include "judge/scoring.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/random.hpp"
#include "judge/metrics.hpp"
#include "vlm/answers.hpp"

namespace evd::judge {
namespace {

using shard::Verdict;

ScoreFinding::Alignment ask_alignment(Inquiry& inquiry, const shard::Sample& sample,
                                      const Picture& picture) {
  const Extent shown = common_extent(picture, picture, inquiry.rules().judge.image_side);
  const auto posed = inquiry.pose(
      [&](int attempt) {
        return Ask{.purpose = shard::Question::align,
                   .sample = &sample,
                   .first = &picture,
                   .shown = shown,
                   .question = vlm::alignment(sample.prompt, attempt)};
      },
      [](const shard::Answer& answer) { return vlm::read_alignment(answer.text).has_value(); });
  if (posed.answer == nullptr) return {&picture, std::nullopt};
  return {&picture, vlm::read_alignment(posed.answer->text)};
}

// Sums of one score, by teacher and category.
class Scores {
 public:
  void add(const Match& match) {
    const auto in = categories_of(*match.sample);
    auto& share = shares_[match.a->teacher];
    const double won = match.outcome.verdict == Verdict::b     ? 1.0
                       : match.outcome.verdict == Verdict::tie ? 0.5
                                                               : 0.0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!in[i]) continue;
      share.won[i] += won;
      ++share.count[i];
    }
    if (!match.identical) biases_.push_back(match.outcome.bias);
  }

  void add(const shard::Sample& sample, const std::string& teacher, double alignment) {
    const auto in = categories_of(sample);
    for (std::size_t i = 0; i < in.size(); ++i)
      if (in[i]) alignments_[teacher][i].push_back(alignment);
  }

  [[nodiscard]] std::vector<shard::Metric> rows(int round) const {
    std::vector<shard::Metric> rows;
    const auto row = [&](std::string_view metric, std::size_t category, const std::string& teacher,
                         const Estimate& estimate) {
      if (estimate.count > 0)
        rows.push_back(
            metric_row(round, "score", metric, kCategories[category], teacher, estimate));
    };
    for (const auto& [teacher, share] : shares_)
      for (std::size_t i = 0; i < kCategories.size(); ++i)
        row("win_share", i, teacher, wilson(share.won[i], share.count[i]));
    for (const auto& [teacher, values] : alignments_)
      for (std::size_t i = 0; i < kCategories.size(); ++i)
        row(teacher.empty() ? "alignment" : "alignment_teacher", i, teacher,
            mean_estimate(values[i]));
    row("position_bias", 0, "", mean_estimate(biases_));
    return rows;
  }

 private:
  struct Share {
    ByCategory<double> won{};
    ByCategory<std::int64_t> count{};
  };
  std::map<std::string, Share> shares_;
  std::map<std::string, ByCategory<std::vector<double>>> alignments_;  // "" = the base model
  std::vector<double> biases_;
};

void sort_by_prompt(std::vector<Picture>& pictures) {
  std::sort(pictures.begin(), pictures.end(), [](const Picture& a, const Picture& b) {
    return std::tie(a.prompt, a.teacher_order, a.teacher, a.sample_index, a.id) <
           std::tie(b.prompt, b.teacher_order, b.teacher, b.sample_index, b.id);
  });
}

}  // namespace

void choose_prompts(ScoreState& state, const Rules& rules) {
  auto& prompts = state.prompts;
  const auto wanted = static_cast<std::size_t>(rules.judge.score_prompts);
  if (wanted > 0 && wanted < prompts.size()) {
    const auto draw = [&](const shard::Sample& sample) {
      return std::pair(Random(rules.seed, Purpose::score_share, sample.id.low64()).next_u64(),
                       sample.id);
    };
    std::sort(prompts.begin(), prompts.end(),
              [&](const auto& a, const auto& b) { return draw(a) < draw(b); });
    prompts.resize(wanted);
  }
  std::sort(prompts.begin(), prompts.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  sort_by_prompt(state.renders);
  sort_by_prompt(state.drawn);
}

std::vector<ScoreItem> score_items(const ScoreState& state) {
  const auto of = [](const std::vector<Picture>& pictures, const SampleId& id) {
    std::vector<const Picture*> found;
    auto at = std::lower_bound(
        pictures.begin(), pictures.end(), id,
        [](const Picture& picture, const SampleId& wanted) { return picture.prompt < wanted; });
    for (; at != pictures.end() && at->prompt == id; ++at)
      if (at->outcome == shard::Outcome::ok) found.push_back(&*at);
    return found;
  };
  std::vector<ScoreItem> items;
  for (const auto& sample : state.prompts) {
    const auto renders = of(state.renders, sample.id);
    if (renders.empty()) continue;
    items.push_back({&sample, renders.front(), of(state.drawn, sample.id)});
  }
  return items;
}

ScoreFinding follow_score(const ScoreItem& item, const ScoreState& state, const Rules& rules,
                          const Lookup& lookup) {
  ScoreFinding finding;
  Inquiry inquiry(rules, lookup);
  for (const auto* rival : item.rivals)
    if (auto match = compare(inquiry, shard::Question::score, *item.sample, *rival, *item.render))
      finding.matches.push_back(*match);
  finding.alignments.push_back(ask_alignment(inquiry, *item.sample, *item.render));
  if (state.ceiling)
    for (const auto* rival : item.rivals)
      finding.alignments.push_back(ask_alignment(inquiry, *item.sample, *rival));
  finding.missing = std::move(inquiry.missing());
  finding.used = inquiry.used();
  finding.complete = finding.missing.empty() && !inquiry.left_open();
  return finding;
}

Decision decide_score(const ScoreState& state, const Rules& rules, const Lookup& lookup) {
  Decision decision;
  Scores scores;
  auto& tallies = decision.tallies;
  for (const char* zero : {"asked", "judged", "unjudgeable", "identical", "aligned", "unaligned"})
    tallies[zero] = 0;
  const auto items = score_items(state);
  for (const auto& item : items) {
    const auto finding = follow_score(item, state, rules, lookup);
    if (!finding.complete) ++decision.counts.open;
    for (const auto* answer : finding.used) {
      decision.answers.push_back(*answer);
      decision.cost_microusd += answer->cost_microusd;
      if (answer->outcome == shard::Outcome::refused) ++decision.counts.refused;
    }
    for (const auto& match : finding.matches) {
      decision.pairs.push_back(pair_row(match, rules));
      const bool judged = match.identical || match.outcome.verdict != Verdict::unjudgeable;
      if (judged) scores.add(match);
      ++tallies[match.identical ? "identical" : "asked"];
      if (!match.identical) ++tallies[judged ? "judged" : "unjudgeable"];
      ++(judged ? decision.counts.done : decision.counts.failed);
    }
    for (const auto& [picture, score] : finding.alignments) {
      ++tallies[score ? "aligned" : "unaligned"];
      const bool base = picture == item.render;
      if (score) scores.add(*item.sample, base ? "" : picture->teacher, *score);
    }
  }
  tallies["prompts"] = std::ssize(items);
  tallies["answers"] = std::ssize(decision.answers);
  tallies["open"] = decision.counts.open;
  decision.metrics = scores.rows(rules.round);
  sort_answers(decision.answers);
  return decision;
}

}  // namespace evd::judge
