#include "judge/plan.hpp"

#include <algorithm>
#include <span>
#include <tuple>

namespace evd::judge {
namespace {

using shard::Outcome;
using shard::Status;

constexpr std::size_t kMostChildren = 12;  // named in a question, so that it stays short

// The pictures of one waiting prompt: an item, or why there is none.
void plan_select(std::size_t sample, std::span<const Picture> pictures, const Rules& rules,
                 Plan& plan) {
  Item item{.kind = Item::Kind::select, .sample = sample, .drawn = pictures.size()};
  int refused = 0;
  int failed = 0;
  int open = 0;
  for (const auto& picture : pictures) {
    item.drawn_microusd += picture.cost_microusd;
    if (picture.outcome == Outcome::ok) item.contestants.push_back(&picture);
    if (picture.outcome == Outcome::refused) ++refused;
    if (picture.outcome == Outcome::failed) ++failed;
    if (picture.outcome == Outcome::open) ++open;
  }
  const auto came = std::ssize(item.contestants);
  if (came > 0 && (open == 0 || came >= rules.min_teachers)) {
    plan.items.push_back(std::move(item));
    return;
  }
  Pictureless left{
      .sample = sample, .drawn = !pictures.empty(), .drawn_microusd = item.drawn_microusd};
  if (came == 0 && open == 0 && refused + failed > 0)
    left.why = failed > 0 ? shard::Removal::failed : shard::Removal::refused;
  plan.pictureless.push_back(left);
}

void plan_selects(const State& state, const Rules& rules, Plan& plan) {
  auto at = state.drawn.begin();
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const auto& sample = state.set[i];
    if (sample.status != Status::waiting) continue;
    at = std::lower_bound(
        at, state.drawn.end(), sample.id,
        [](const Picture& picture, const SampleId& id) { return picture.prompt < id; });
    const auto begin = at;
    while (at != state.drawn.end() && at->prompt == sample.id) ++at;
    plan_select(i, {begin, at}, rules, plan);
  }
}

// The target that a render is to be compared with; null when it is passed over.
const Picture* target_of(const State& state, const Picture& render) {
  const auto index = find_sample(state, render.prompt);
  if (!index) return nullptr;
  const auto& sample = state.set[*index];
  if (sample.status != Status::member) return nullptr;
  if (state.rendered_against) {
    const auto then = state.rendered_against->find(sample.id);
    if (then == state.rendered_against->end() || then->second != sample.target_image)
      return nullptr;
  }
  const auto target = state.targets.find(sample.id);
  return target == state.targets.end() ? nullptr : &target->second;
}

void plan_discriminations(const State& state, const Rules& rules, Plan& plan) {
  auto& tallies = plan.tallies;
  tallies["renders"] = std::ssize(state.renders);
  tallies["passed_over"] = 0;
  tallies["failed_renders"] = 0;
  if (!rules.judge.discriminate) return;
  for (const auto& render : state.renders) {
    if (render.outcome != Outcome::ok) {
      ++tallies["failed_renders"];
      continue;
    }
    const auto* target = target_of(state, render);
    if (target == nullptr) {
      ++tallies["passed_over"];
      continue;
    }
    plan.items.push_back({.kind = Item::Kind::discriminate,
                          .sample = *find_sample(state, render.prompt),
                          .target = target,
                          .render = &render});
    plan.children[render.prompt];
  }
}

void collect_children(const State& state, Plan& plan) {
  if (plan.children.empty()) return;
  for (const auto& sample : state.set) {
    if (sample.operation != shard::Operation::expand) continue;
    const auto parent = plan.children.find(sample.parent);
    if (parent != plan.children.end() && parent->second.size() < kMostChildren)
      parent->second.push_back(sample.prompt);
  }
}

// What the cap allows, before any answer is known. The cap acts before anything is bought: answers
// of the VLM are bought, too.
Writing writing_of(const State& state, const Rules& rules, const Plan& plan) {
  std::int64_t size = 0;
  for (const auto& sample : state.set)
    if (sample.status == Status::member || sample.status == Status::waiting) ++size;
  for (const auto& left : plan.pictureless)
    if (left.why != shard::Removal::none) --size;
  std::int64_t discriminated = 0;
  for (const auto& item : plan.items)
    if (item.kind == Item::Kind::discriminate) ++discriminated;
  const auto& judge = rules.judge;
  const std::int64_t most_new = std::max(judge.expand ? judge.expansions : 0, 1) * discriminated;
  if (rules.cap.policy == run::CapPolicy::displace || size + most_new <= rules.cap.max_samples)
    return Writing::free;
  const std::int64_t least = size - (judge.remove ? discriminated : 0);
  return least < rules.cap.max_samples ? Writing::rationed : Writing::none;
}

}  // namespace

void sort_state(State& state) {
  std::sort(state.set.begin(), state.set.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  const auto by_prompt = [](const Picture& a, const Picture& b) {
    return std::tie(a.prompt, a.teacher_order, a.teacher, a.sample_index, a.id) <
           std::tie(b.prompt, b.teacher_order, b.teacher, b.sample_index, b.id);
  };
  std::sort(state.drawn.begin(), state.drawn.end(), by_prompt);
  std::sort(state.renders.begin(), state.renders.end(), by_prompt);
}

std::optional<std::size_t> find_sample(const State& state, const SampleId& id) {
  const auto at = std::lower_bound(
      state.set.begin(), state.set.end(), id,
      [](const shard::Sample& sample, const SampleId& wanted) { return sample.id < wanted; });
  if (at == state.set.end() || at->id != id) return std::nullopt;
  return static_cast<std::size_t>(at - state.set.begin());
}

Plan make_plan(const State& state, const Rules& rules) {
  Plan plan;
  plan.known.reserve(state.set.size());
  for (const auto& sample : state.set) plan.known.add(sample.prompt);
  plan_selects(state, rules, plan);
  plan_discriminations(state, rules, plan);
  std::sort(plan.items.begin(), plan.items.end(),
            [](const Item& a, const Item& b) { return a.sample < b.sample; });
  collect_children(state, plan);
  plan.writing = writing_of(state, rules, plan);
  return plan;
}

}  // namespace evd::judge
