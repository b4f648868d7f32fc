#include "judge/matches.hpp"

#include "core/hash.hpp"
#include "core/random.hpp"

namespace evd::judge {
namespace {

// P(first better) in one order; nothing when it is missing or cannot be judged.
Inquiry::Posed ask_order(Inquiry& inquiry, shard::Question purpose, const shard::Sample& sample,
                         const Picture& first, const Picture& second) {
  const Extent shown = common_extent(first, second, inquiry.rules().judge.image_side);
  return inquiry.pose(
      [&](int attempt) {
        return Ask{.purpose = purpose,
                   .sample = &sample,
                   .first = &first,
                   .second = &second,
                   .shown = shown,
                   .question = vlm::verdict(sample.prompt, attempt)};
      },
      [](const shard::Answer& answer) { return answer.choice != shard::Choice::unparsed; });
}

std::optional<float> p_first(const Inquiry::Posed& posed) {
  if (posed.answer == nullptr) return std::nullopt;
  return posed.answer->p_first;
}

}  // namespace

std::optional<Match> compare(Inquiry& inquiry, shard::Question purpose, const shard::Sample& sample,
                             const Picture& a, const Picture& b) {
  Match match{.purpose = purpose, .sample = &sample, .a = &a, .b = &b};
  if (a.sha256 == b.sha256) {
    match.identical = true;
    match.outcome.verdict = shard::Verdict::tie;
    return match;
  }
  const auto ab = ask_order(inquiry, purpose, sample, a, b);
  const auto ba = ask_order(inquiry, purpose, sample, b, a);
  if (ab.standing == Standing::missing || ba.standing == Standing::missing) return std::nullopt;
  match.outcome = vlm::combine(p_first(ab), p_first(ba), inquiry.rules().judge.tie_margin);
  return match;
}

std::vector<const Picture*> drawn_order(const Rules& rules, const shard::Sample& sample,
                                        std::span<const Picture* const> contestants) {
  std::vector<const Picture*> order;
  const auto places = permutation(Random(rules.seed, Purpose::pair_order, sample.id.low64()),
                                  static_cast<std::uint32_t>(contestants.size()));
  for (const auto place : places) order.push_back(contestants[place]);
  return order;
}

Tournament tournament(Inquiry& inquiry, const shard::Sample& sample,
                      std::span<const Picture* const> contestants) {
  Tournament result;
  const auto order = drawn_order(inquiry.rules(), sample, contestants);
  result.winner = order.front();
  for (std::size_t i = 1; i < order.size(); ++i) {
    const auto match = compare(inquiry, shard::Question::select, sample, *result.winner, *order[i]);
    if (!match) return result;
    const bool challenger_wins = match->outcome.verdict == shard::Verdict::b;
    result.runner_up = challenger_wins ? result.winner : order[i];
    if (challenger_wins) result.winner = order[i];
    result.matches.push_back(*match);
  }
  result.complete = true;
  return result;
}

std::optional<Match> discriminate(Inquiry& inquiry, const shard::Sample& sample,
                                  const Picture& target, const Picture& render) {
  const auto& rules = inquiry.rules();
  if (rules.judge.choose == run::Choose::vlm)
    return compare(inquiry, shard::Question::discriminate, sample, target, render);
  Match match{
      .purpose = shard::Question::discriminate, .sample = &sample, .a = &target, .b = &render};
  bool teacher_better = true;
  match.chosen_by = shard::ChosenBy::all;
  if (rules.judge.choose == run::Choose::random) {
    match.chosen_by = shard::ChosenBy::random;
    Random random(rules.seed, Purpose::choose, sample.id.low64(),
                  static_cast<std::uint64_t>(rules.round));
    teacher_better = random.uniform() < rules.judge.choose_p;
  }
  match.outcome.verdict = teacher_better ? shard::Verdict::a : shard::Verdict::b;
  return match;
}

shard::Pair pair_row(const Match& match, const Rules& rules) {
  const int version = vlm::version(vlm::Template::verdict);
  Sha256Stream id;
  id.field("pair").field(name(match.purpose)).field(match.a->id.hex()).field(match.b->id.hex());
  id.field(name(match.chosen_by)).field(rules.model).field(static_cast<std::uint64_t>(version));
  return {.id = truncated<PairId>(id.finish()),
          .round = rules.round,
          .question = match.purpose,
          .sample = match.sample->id,
          .split = match.sample->split,
          .image_a = match.a->id,
          .image_b = match.b->id,
          .teacher_a = {match.a->teacher},
          .teacher_b = {match.b->teacher},
          .p_ab = match.outcome.p_ab,
          .p_ba = match.outcome.p_ba,
          .probability = match.outcome.probability,
          .margin = match.outcome.margin,
          .bias = match.outcome.bias,
          .verdict = match.outcome.verdict,
          .chosen_by = match.chosen_by,
          .judge = {rules.model},
          .template_version = version,
          .checkpoint = match.b->checkpoint};
}

}  // namespace evd::judge
