#include "judge/stage.hpp"

#include <algorithm>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "judge/interview.hpp"
#include "judge/load.hpp"
#include "shard/table.hpp"

namespace evd::judge {
namespace {

template <class Row>
void publish(const run::Context& context, const char* name, const std::vector<Row>& rows,
             run::Result& result) {
  result.files.push_back(shard::write_table<Row>(context.directory / name, context.header(), rows));
}

std::string why_open(const Interview& asked) {
  std::string why = join(asked.services_down(), ", ");
  if (asked.budget_spent())
    why += why.empty() ? "the budget is spent" : ", and the budget is spent";
  return why;
}

// Open comparisons that the user has agreed to by giving a budget.
std::int64_t forgiven(const run::Context& context, const Interview& asked,
                      const Decision& decision) {
  const bool on_purpose =
      asked.budget_spent() && context.config.harvest.on_budget == run::OnBudget::publish;
  return on_purpose && asked.services_down().empty() ? decision.counts.open : 0;
}

// The same, and frees them: with a set of 300,000 samples no two of these tables have to stand in
// memory at once.
template <class Row>
void publish_last(const run::Context& context, const char* name, std::vector<Row>& rows,
                  run::Result& result) {
  publish(context, name, rows, result);
  rows = std::vector<Row>();
}

// What every result of these stages has, whether a set belongs to it or not. Leaves no answers and
// pairs in the decision.
run::Result publish_decision(const run::Context& context, Interview& asked, Decision& decision,
                             std::int64_t begun_ms) {
  require_judged(decision.counts, context.config.judge.max_unjudged, context.accept_partial,
                 forgiven(context, asked, decision), why_open(asked));
  run::Result result;
  asked.forget_answers();
  publish_last(context, "answers.h5", decision.answers, result);
  publish_last(context, "pairs.h5", decision.pairs, result);
  publish(context, "metrics.h5", decision.metrics, result);
  const auto calls =
      asked.journals().calls(std::string(name(context.self.stage)), context.self.round);
  publish(context, "calls.h5", calls, result);
  for (const auto& call : calls)
    if (call.ambiguous) result.ambiguous_microusd += call.cost_microusd;
  result.counts = decision.counts;
  result.tallies = decision.tallies;
  result.cost_microusd = decision.cost_microusd;
  result.seconds["judging"] = asked.seconds();
  result.seconds["services"] = asked.services_seconds();
  if (asked.first_asked_ms() > 0)
    result.seconds["first_request"] =
        static_cast<double>(asked.first_asked_ms() - begun_ms) / 1e3 - asked.services_seconds();
  for (const auto& problem : asked.journals().problems()) context.log.warning(problem);
  return result;
}

long long at(const std::map<std::string, std::int64_t>& tallies, const char* name) {
  const auto found = tallies.find(name);
  return found == tallies.end() ? 0 : found->second;
}

std::string note(const Interview& asked, const Decision& decision) {
  const auto why = why_open(asked);
  if (decision.counts.open == 0 || why.empty()) return "";
  return format("; %lld left open: ", static_cast<long long>(decision.counts.open)) + why;
}

std::unordered_set<SampleId> samples_of(const State& state, const Plan& plan) {
  std::unordered_set<SampleId> samples;
  for (const auto& item : plan.items) samples.insert(state.set[item.sample].id);
  return samples;
}

// Who may write under a cap that binds: decided by rank 0, told to all.
Leave told_leave(const run::Context& context, Interview& interview, const State& state,
                 const Plan& plan, const Rules& rules) {
  std::string told;
  if (context.world.rank() == 0) {
    const Leave given = leave_to_write(state, plan, rules, interview.recorded());
    for (const auto sample : given.samples()) told += std::to_string(sample) + " ";
  }
  Leave leave(plan);
  for (const auto& sample : split(context.world.broadcast(told, 0), ' '))
    if (!sample.empty()) leave.give(std::stoull(sample));
  return leave;
}

std::string judge_line(const Interview& asked, const Decision& decision) {
  const auto& tallies = decision.tallies;
  return format(
             "%lld members, %lld waiting; %lld selected; base against target: teacher better %lld, "
             "base better %lld, ties %lld; %lld new prompts; %lld answers for %s",
             at(tallies, "members"), at(tallies, "waiting"), at(tallies, "selected"),
             at(tallies, "teacher_better"), at(tallies, "base_better"), at(tallies, "ties"),
             at(tallies, "new_prompts"), at(tallies, "answers"),
             human_usd(decision.cost_microusd).c_str()) +
         note(asked, decision);
}

std::string score_line(const Interview& asked, const Decision& decision) {
  std::string line = format("%lld held-out prompts", at(decision.tallies, "prompts"));
  for (const auto& metric : decision.metrics) {
    if (metric.category.text != "all") continue;
    if (metric.metric.text == "alignment")
      line += format(", alignment %.3f (%.3f to %.3f)", metric.value, metric.low, metric.high);
    if (metric.metric.text == "win_share")
      line += format(", %.0f %% against %s", 100 * metric.value, metric.teacher.text.c_str());
  }
  return line +
         format("; %lld answers for %s", at(decision.tallies, "answers"),
                human_usd(decision.cost_microusd).c_str()) +
         note(asked, decision);
}

}  // namespace

run::Result run_judge(run::Context& context) {
  const double begun_s = monotonic_s();
  const std::int64_t begun_ms = utc_ms();
  Rules rules = rules_of(context.config, context.self.round);
  rules.ask_epoch = ask_epoch(context);
  const shard::Catalog catalog(context.campaign.root());
  State state = load_state(context, rules, catalog);
  Plan plan = make_plan(state, rules);
  Interview interview(context, rules, catalog, samples_of(state, plan));
  const double loaded_s = monotonic_s();

  // Comparisons; with room enough under the cap, also the new prompts that follow from them.
  Leave leave(plan);
  const auto ask = [&](const std::vector<const Item*>& items) {
    interview.ask(std::ssize(items), [&](std::int64_t item, const Lookup& lookup) {
      return follow(*items[static_cast<std::size_t>(item)], state, plan, leave, rules, lookup)
          .missing;
    });
  };
  const auto those = [&](const auto& which) {
    std::vector<const Item*> items;
    for (const auto& item : plan.items)
      if (which(item)) items.push_back(&item);
    return items;
  };
  ask(those([&](const Item& item) { return may_ask(item, leave, rules); }));
  if (plan.writing == Writing::rationed) {
    leave = told_leave(context, interview, state, plan, rules);
    ask(those([&](const Item& item) { return leave.has(item); }));
  }
  if (context.world.rank() != 0) return {};

  const double asked_s = monotonic_s();
  Decision decision = decide(std::move(state), rules, plan, interview.recorded());
  plan = {};  // what is published has to find room
  const double decided_s = monotonic_s();
  run::Result result = publish_decision(context, interview, decision, begun_ms);
  publish(context, "set.h5", decision.set, result);
  result.closing_line = judge_line(interview, decision);
  result.seconds["load"] = loaded_s - begun_s;
  result.seconds["decide"] = decided_s - asked_s;
  result.seconds["publish"] = monotonic_s() - decided_s;
  return result;
}

run::Result run_score(run::Context& context) {
  const double begun_s = monotonic_s();
  const std::int64_t begun_ms = utc_ms();
  Rules rules = rules_of(context.config, context.self.round);
  rules.ask_epoch = ask_epoch(context);
  const shard::Catalog catalog(context.campaign.root());
  const ScoreState state = load_score_state(context, rules);
  const auto items = score_items(state);
  std::unordered_set<SampleId> samples;
  for (const auto& item : items) samples.insert(item.sample->id);
  Interview interview(context, rules, catalog, samples);
  const double loaded_s = monotonic_s();

  interview.ask(std::ssize(items), [&](std::int64_t item, const Lookup& lookup) {
    return follow_score(items[static_cast<std::size_t>(item)], state, rules, lookup).missing;
  });
  if (context.world.rank() != 0) return {};

  const double asked_s = monotonic_s();
  Decision decision = decide_score(state, rules, interview.recorded());
  const double decided_s = monotonic_s();
  run::Result result = publish_decision(context, interview, decision, begun_ms);
  result.closing_line = score_line(interview, decision);
  result.seconds["load"] = loaded_s - begun_s;
  result.seconds["decide"] = decided_s - asked_s;
  result.seconds["publish"] = monotonic_s() - decided_s;
  return result;
}

}  // namespace evd::judge
