#include "judge/decide.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "judge/metrics.hpp"
#include "judge/new_prompts.hpp"

namespace evd::judge {
namespace {

using shard::Removal;
using shard::Sample;
using shard::Status;
using shard::Verdict;

// Teachers that have a picture of the prompt, in the configuration's order, joined by +.
std::string teachers_of(const Item& item) {
  std::vector<std::string> names;
  for (const auto* picture : item.contestants)
    if (names.empty() || names.back() != picture->teacher) names.push_back(picture->teacher);
  return join(names, "+");
}

void remove(Sample& sample, Status status, Removal why, int round) {
  sample.status = status;
  sample.removed_why = why;
  sample.round_removed = round;
}

class Round {
 public:
  Round(State state, const Rules& rules, const Plan& plan, const Lookup& lookup)
      : state_(std::move(state)),
        rules_(rules),
        plan_(plan),
        lookup_(lookup),
        leave_(leave_to_write(state_, plan, rules, lookup)),
        measures_(rules) {
    decision_.tallies = plan.tallies;
    for (const char* zero :
         {"selected",    "asked",       "judged",  "teacher_better", "base_better", "ties",
          "unjudgeable", "identical",   "open",    "expanded",       "mutated",     "deleted",
          "written",     "new_prompts", "capped",  "displaced",      "refused",     "failed",
          "undrawn",     "unwritten",   "rationed"})
      decision_.tallies[zero] = 0;
  }

  Decision run() {
    for (const auto& left : plan_.pictureless) leave(left);
    for (const auto& item : plan_.items) take(item);
    decision_.set = std::move(state_.set);
    admit(std::move(born_), rules_, decision_.set, decision_.tallies);
    std::sort(decision_.set.begin(), decision_.set.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    for (const auto& sample : decision_.set) measures_.count(sample);
    decision_.tallies["members"] = measures_.members();
    decision_.tallies["waiting"] = measures_.waiting();
    decision_.metrics = measures_.rows();
    finish_answers();
    return std::move(decision_);
  }

 private:
  std::int64_t& tally(const std::string& name) { return decision_.tallies[name]; }

  void leave(const Pictureless& left) {
    auto& sample = state_.set[left.sample];
    if (left.why == Removal::none) {
      ++tally(left.drawn ? "open" : "undrawn");
      return;
    }
    const bool refused = left.why == Removal::refused;
    remove(sample, refused ? Status::refused : Status::failed, left.why, rules_.round);
    sample.cost_microusd += left.drawn_microusd;
    ++tally(refused ? "refused" : "failed");
  }

  void take(const Item& item) {
    const auto finding = follow(item, state_, plan_, leave_, rules_, lookup_);
    auto& sample = state_.set[item.sample];
    for (const auto* answer : finding.used) {
      decision_.answers.push_back(*answer);
      decision_.cost_microusd += answer->cost_microusd;
      sample.cost_microusd += answer->cost_microusd;
    }
    if (!finding.complete) ++decision_.counts.open;
    if (item.kind == Item::Kind::select) {
      for (const auto& match : finding.tournament.matches) record(match);
      if (finding.decided) select(item, finding, sample);
    } else if (finding.decided) {
      record(*finding.match);
      discriminate(finding, sample);
    }
  }

  void record(const Match& match) {
    decision_.pairs.push_back(pair_row(match, rules_));
    measures_.compared(match);
    const bool asked = match.chosen_by == shard::ChosenBy::vlm && !match.identical;
    if (match.identical) ++tally("identical");
    if (!asked) return;
    ++tally("asked");
    const bool judged = match.outcome.verdict != Verdict::unjudgeable;
    ++tally(judged ? "judged" : "unjudgeable");
    ++(judged ? decision_.counts.done : decision_.counts.failed);
  }

  void select(const Item& item, const Finding& finding, Sample& sample) {
    const auto& winner = *finding.tournament.winner;
    sample.status = Status::member;
    sample.target_teacher = {winner.teacher};
    sample.target_image = winner.id;
    sample.target_shard = winner.where.shard;
    sample.target_row = winner.where.row;
    if (const auto* second = finding.tournament.runner_up) sample.runner_up = {second->teacher};
    sample.teachers_drawn = {teachers_of(item)};
    sample.cost_microusd += item.drawn_microusd;
    ++tally("selected");
    measures_.selected(sample, item, finding.tournament);
  }

  void discriminate(const Finding& finding, Sample& sample) {
    const auto& outcome = finding.match->outcome;
    if (outcome.verdict == Verdict::unjudgeable) return;
    ++sample.times_judged;
    sample.margin = outcome.margin;
    measures_.discriminated(sample, outcome.verdict);
    if (outcome.verdict == Verdict::a) ++sample.wins, ++tally("teacher_better");
    if (outcome.verdict == Verdict::b) ++sample.losses, ++tally("base_better");
    if (outcome.verdict == Verdict::tie) ++sample.ties, ++tally("ties");
    if (finding.removal != Removal::none) {
      remove(sample, Status::removed, finding.removal, rules_.round);
      ++tally("deleted");
    }
    if (finding.wants && !finding.may_write) ++tally("rationed");
    if (finding.may_write) bear(finding, sample);
  }

  void bear(const Finding& finding, const Sample& parent) {
    for (const auto& [drop, count] : finding.dropped)
      tally("dropped_" + std::string(name(drop))) += count;
    if (finding.texts.empty()) {
      ++tally("unwritten");
      return;
    }
    ++tally(*finding.wants == shard::Operation::expand ? "expanded" : "mutated");
    tally("written") += std::ssize(finding.texts);
    for (const auto& text : finding.texts) born_.push_back(child(parent, *finding.wants, text));
  }

  Sample child(const Sample& parent, shard::Operation operation, const std::string& text) const {
    return child_of(parent, operation, text, rules_.round);
  }

  void finish_answers() {
    auto& answers = decision_.answers;
    for (const auto& answer : answers)
      if (answer.outcome == shard::Outcome::refused) ++decision_.counts.refused;
    sort_answers(answers);
    tally("answers") = std::ssize(answers);
    tally("open") += decision_.counts.open;
  }

  State state_;  // its set becomes the decision's, sample by sample
  const Rules& rules_;
  const Plan& plan_;
  const Lookup& lookup_;
  Leave leave_;
  Measures measures_;
  Decision decision_;
  std::vector<Sample> born_;
};

}  // namespace

Decision decide(State state, const Rules& rules, const Plan& plan, const Lookup& lookup) {
  return Round(std::move(state), rules, plan, lookup).run();
}

void sort_answers(std::vector<shard::Answer>& answers) {
  std::sort(answers.begin(), answers.end(), [](const auto& a, const auto& b) {
    return std::tie(a.sample, a.question, a.first, a.second, a.attempt, a.key) <
           std::tie(b.sample, b.question, b.first, b.second, b.attempt, b.key);
  });
}

void require_judged(const shard::Counts& counts, double max_unjudged, bool accept_partial,
                    std::int64_t forgiven_open, const std::string& why) {
  const std::int64_t open = std::max<std::int64_t>(0, counts.open - forgiven_open);
  const std::int64_t lacking = counts.failed + open;
  const std::int64_t all = counts.done + lacking;
  if (accept_partial || lacking == 0 ||
      static_cast<double>(lacking) <= max_unjudged * static_cast<double>(all))
    return;
  throw ServiceError(
      format(
          "%lld of %lld comparisons have no verdict (%lld unreadable, refused or failed for good, "
          "%lld without an answer), more than judge.max_unjudged = %.3g allows",
          static_cast<long long>(lacking), static_cast<long long>(all),
          static_cast<long long>(counts.failed), static_cast<long long>(open), max_unjudged) +
      (why.empty() ? "" : "; " + why) +
      "; nothing is published and every answer kept: start again to ask what is missing" +
      (counts.failed > 0 ? ", with --rerun=failed to ask once more what failed for good; for what "
                           "is unreadable raise judge.max_asks with evd set"
                         : "") +
      ", or publish what there is with --accept-partial");
}

}  // namespace evd::judge
