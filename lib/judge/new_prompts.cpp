#include "judge/new_prompts.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "shard/category.hpp"
#include "shard/identity.hpp"
#include "vlm/prompts.hpp"

namespace evd::judge {
namespace {

using shard::Sample;
using shard::Status;

// Who leaves first: judged ones by margin, then those never judged from the oldest on.
auto displacement_order(const Sample& sample) {
  const bool unjudged = sample.times_judged == 0;
  const float margin = unjudged ? 0.0F : sample.margin;
  return std::tuple(unjudged, margin, sample.round_added, sample.id);
}

void displace(std::vector<Sample>& set, std::int64_t count, int round) {
  std::vector<Sample*> members;
  for (auto& sample : set)
    if (sample.status == Status::member) members.push_back(&sample);
  const auto leaving = std::min<std::int64_t>(count, std::ssize(members));
  std::partial_sort(members.begin(), members.begin() + leaving, members.end(),
                    [](const Sample* a, const Sample* b) {
                      return displacement_order(*a) < displacement_order(*b);
                    });
  for (std::int64_t i = 0; i < leaving; ++i) {
    auto& sample = *members[static_cast<std::size_t>(i)];
    sample.status = Status::displaced;
    sample.removed_why = shard::Removal::displaced;
    sample.round_removed = round;
  }
}

}  // namespace

Sample child_of(const Sample& parent, shard::Operation operation, const std::string& text,
                int round) {
  const auto categories = shard::categorize(text);
  return {.id = shard::sample_id(text, parent.width, parent.height),
          .status = Status::waiting,
          .prompt = text,
          .prompt_sent = text,
          .operation = operation,
          .parent = parent.id,
          .root = parent.root.is_none() ? parent.id : parent.root,
          .generation = parent.generation + 1,
          .round_added = round,
          .category_human = categories.human,
          .category_text = categories.text,
          .category_multi = categories.multi,
          .category_source = shard::CategorySource::rules,
          .width = parent.width,
          .height = parent.height};
}

void admit(std::vector<Sample> born, const Rules& rules, std::vector<Sample>& set,
           std::map<std::string, std::int64_t>& tallies) {
  vlm::KnownPrompts seen;
  std::vector<Sample> unique;
  for (auto& sample : born) {
    if (seen.add(sample.prompt))
      unique.push_back(std::move(sample));
    else
      ++tallies["dropped_" + std::string(name(vlm::Drop::repeats))];
  }
  std::sort(unique.begin(), unique.end(), [](const auto& a, const auto& b) { return a.id < b.id; });

  std::int64_t members = 0;
  std::int64_t waiting = 0;
  for (const auto& sample : set) {
    if (sample.status == Status::member) ++members;
    if (sample.status == Status::waiting) ++waiting;
  }
  const std::int64_t room = std::max<std::int64_t>(0, rules.cap.max_samples - members - waiting);
  std::int64_t taken = std::min<std::int64_t>(std::ssize(unique), room);
  if (rules.cap.policy == run::CapPolicy::displace) {
    taken = std::min<std::int64_t>(std::ssize(unique), room + members);
    const std::int64_t leaving = std::max<std::int64_t>(0, taken - room);
    displace(set, leaving, rules.round);
    tallies["displaced"] += leaving;
  }
  tallies["capped"] += std::ssize(unique) - taken;
  tallies["new_prompts"] += taken;
  for (std::int64_t i = 0; i < taken; ++i)
    set.push_back(std::move(unique[static_cast<std::size_t>(i)]));
}

}  // namespace evd::judge
