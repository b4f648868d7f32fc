#include "judge/finding.hpp"

#include <algorithm>

#include "core/random.hpp"
#include "vlm/answers.hpp"

namespace evd::judge {
namespace {

using shard::Operation;
using shard::Removal;
using shard::Verdict;

// Why a discriminated prompt is deleted; none = it stays.
Removal removal_of(Verdict verdict, const run::JudgeOptions& judge) {
  if (!judge.remove) return Removal::none;
  if (verdict == Verdict::b) return Removal::learned;
  if (verdict == Verdict::tie && judge.on_tie == run::OnTie::remove) return Removal::tie;
  return Removal::none;
}

// Texts that can be taken, as far as one sample can know.
struct Taken {
  std::vector<std::string> texts;
  std::map<vlm::Drop, int> dropped;
};

Taken take(const std::vector<std::string>& written, const Plan& plan, const Rules& rules) {
  Taken taken;
  vlm::KnownPrompts own;
  for (const auto& raw : written) {
    auto checked = vlm::check_written(raw, rules.max_prompt_chars);
    if (checked.drop == vlm::Drop::none &&
        (plan.known.contains(checked.text) || !own.add(checked.text)))
      checked.drop = vlm::Drop::repeats;
    if (checked.drop == vlm::Drop::none)
      taken.texts.push_back(std::move(checked.text));
    else
      ++taken.dropped[checked.drop];
  }
  return taken;
}

// Poses a writing question until an answer holds at least one new prompt.
void write(Inquiry& inquiry, const Plan& plan, const std::function<Ask(int)>& make,
           const std::function<std::vector<std::string>(const std::string&)>& read,
           Finding& finding) {
  const auto posed = inquiry.pose(make, [&](const shard::Answer& answer) {
    auto taken = take(read(answer.text), plan, inquiry.rules());
    for (const auto& [drop, count] : taken.dropped) finding.dropped[drop] += count;
    finding.texts = std::move(taken.texts);
    return !finding.texts.empty();
  });
  finding.written = posed.standing;
}

void expand(Inquiry& inquiry, const shard::Sample& sample, const Plan& plan, Finding& finding) {
  const int count = inquiry.rules().judge.expansions;
  const auto children = plan.children.find(sample.id);
  const std::vector<std::string> none;
  const auto& known = children == plan.children.end() ? none : children->second;
  write(
      inquiry, plan,
      [&](int attempt) {
        return Ask{.purpose = shard::Question::expand,
                   .sample = &sample,
                   .question = vlm::variations(sample.prompt, count, known, attempt)};
      },
      [&](const std::string& text) { return vlm::read_variations(text, count); }, finding);
}

// The length style of a deleted prompt's mutation; nothing when it has none (paper: 90 %).
std::optional<vlm::LengthStyle> drawn_mutation(const Rules& rules, const shard::Sample& sample) {
  Random random(rules.seed, Purpose::mutation, sample.id.low64(),
                static_cast<std::uint64_t>(rules.round));
  if (random.uniform() >= rules.judge.mutation_probability) return std::nullopt;
  return static_cast<vlm::LengthStyle>(random.below(EnumNames<vlm::LengthStyle>::value.size()));
}

void mutate(Inquiry& inquiry, const shard::Sample& sample, const Plan& plan, Finding& finding) {
  const auto style = drawn_mutation(inquiry.rules(), sample).value();
  write(
      inquiry, plan,
      [&](int attempt) {
        return Ask{.purpose = shard::Question::mutate,
                   .sample = &sample,
                   .question = vlm::mutation(sample.prompt, style, attempt)};
      },
      [](const std::string& text) {
        auto one = vlm::read_mutation(text);
        return one ? std::vector<std::string>{std::move(*one)} : std::vector<std::string>{};
      },
      finding);
}

void follow_select(Inquiry& inquiry, const Item& item, const shard::Sample& sample,
                   Finding& finding) {
  finding.tournament = tournament(inquiry, sample, item.contestants);
  finding.decided = finding.tournament.complete;
}

std::optional<Operation> wanted(const Rules& rules, const shard::Sample& sample, Verdict verdict,
                                Removal removal) {
  if (verdict == Verdict::a && rules.judge.expand) return Operation::expand;
  if (removal != Removal::none && rules.judge.mutate && drawn_mutation(rules, sample))
    return Operation::mutate;
  return std::nullopt;
}

void follow_discriminate(Inquiry& inquiry, const Item& item, const shard::Sample& sample,
                         const Plan& plan, const Leave& leave, Finding& finding) {
  const auto& rules = inquiry.rules();
  finding.match = discriminate(inquiry, sample, *item.target, *item.render);
  if (!finding.match) return;
  finding.decided = true;
  const auto verdict = finding.match->outcome.verdict;
  finding.removal = removal_of(verdict, rules.judge);
  finding.wants = wanted(rules, sample, verdict, finding.removal);
  finding.may_write = finding.wants && leave.has(item);
  if (!finding.may_write) return;
  if (finding.wants == Operation::expand)
    expand(inquiry, sample, plan, finding);
  else
    mutate(inquiry, sample, plan, finding);
}

}  // namespace

Finding follow(const Item& item, const State& state, const Plan& plan, const Leave& leave,
               const Rules& rules, const Lookup& lookup) {
  Finding finding;
  Inquiry inquiry(rules, lookup);
  const auto& sample = state.set[item.sample];
  if (item.kind == Item::Kind::select)
    follow_select(inquiry, item, sample, finding);
  else
    follow_discriminate(inquiry, item, sample, plan, leave, finding);
  finding.missing = std::move(inquiry.missing());
  finding.used = inquiry.used();
  finding.left_open = inquiry.left_open();
  finding.complete = finding.decided && finding.missing.empty() && !finding.left_open;
  return finding;
}

Leave leave_to_write(const State& state, const Plan& plan, const Rules& rules,
                     const Lookup& lookup) {
  Leave leave(plan);
  if (plan.writing != Writing::rationed) return leave;
  const Leave nobody = leave;
  std::int64_t room = rules.cap.max_samples;
  for (const auto& sample : state.set)
    if (sample.status == shard::Status::member || sample.status == shard::Status::waiting) --room;
  for (const auto& left : plan.pictureless)
    if (left.why != Removal::none) ++room;
  std::vector<std::pair<const Item*, Operation>> wanting;
  for (const auto& item : plan.items) {
    if (item.kind != Item::Kind::discriminate) continue;
    const auto finding = follow(item, state, plan, nobody, rules, lookup);
    if (finding.removal != Removal::none) ++room;
    if (finding.wants) wanting.emplace_back(&item, *finding.wants);
  }
  for (const auto& [item, operation] : wanting) {
    if (room <= 0) break;
    leave.give(item->sample);
    room -= operation == Operation::expand ? rules.judge.expansions : 1;
  }
  return leave;
}

bool may_ask(const Item& item, const Leave& leave, const Rules& rules) {
  if (item.kind == Item::Kind::select)
    return std::any_of(item.contestants.begin(), item.contestants.end(), [&](const auto* picture) {
      return picture->sha256 != item.contestants.front()->sha256;
    });
  const bool compares =
      rules.judge.choose == run::Choose::vlm && item.target->sha256 != item.render->sha256;
  return compares || (leave.has(item) && (rules.judge.expand || rules.judge.mutate));
}

}  // namespace evd::judge
