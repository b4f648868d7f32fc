#include "harvest/plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "core/random.hpp"
#include "harvest/bandit.hpp"
#include "teacher/key.hpp"

namespace evd::harvest {
namespace {

constexpr int kGrid = 16;

int to_grid(double side, int least, int largest) {
  const int down = static_cast<int>(std::lround(side / kGrid)) * kGrid;
  const int lowest = (least + kGrid - 1) / kGrid * kGrid;
  const int highest = largest / kGrid * kGrid;
  if (lowest > highest) return std::clamp(static_cast<int>(std::lround(side)), least, largest);
  return std::clamp(down, lowest, highest);
}

class Planner {
 public:
  Planner(const std::vector<shard::Sample>& set, const PlanRules& rules)
      : set_(set), rules_(rules), everyone_(rules.teachers.size()) {
    std::iota(everyone_.begin(), everyone_.end(), std::size_t{0});
    if (rules.policy == run::DrawPolicy::winner)
      for (const auto& sample : set) by_id_.emplace(sample.id, &sample);
  }

  std::vector<Draw> plan() const {
    std::vector<Draw> draws;
    for (std::size_t i = 0; i < set_.size(); ++i)
      for (const std::size_t teacher : teachers_of(set_[i])) draws.push_back(draw(i, teacher));
    std::sort(draws.begin(), draws.end(), [this](const Draw& a, const Draw& b) {
      return std::tie(set_[a.sample].id, a.teacher) < std::tie(set_[b.sample].id, b.teacher);
    });
    return draws;
  }

 private:
  [[nodiscard]] std::vector<std::size_t> teachers_of(const shard::Sample& sample) const {
    if (sample.status == shard::Status::heldout)
      return rules_.round == 0 ? everyone_ : who_left_open(sample);
    if (sample.status != shard::Status::waiting) return {};
    switch (rules_.policy) {
      case run::DrawPolicy::all:
        return everyone_;
      case run::DrawPolicy::winner:
        return parents_winner(sample);
      case run::DrawPolicy::bandit:
        return bandits_choice(sample);
    }
    return everyone_;
  }

  [[nodiscard]] std::vector<std::size_t> who_left_open(const shard::Sample& sample) const {
    std::vector<std::size_t> teachers;
    for (const std::size_t teacher : everyone_)
      if (rules_.heldout_open.contains({sample.id, rules_.teachers[teacher].name}))
        teachers.push_back(teacher);
    return teachers;
  }

  [[nodiscard]] std::vector<std::size_t> parents_winner(const shard::Sample& sample) const {
    if (sample.operation != shard::Operation::expand) return everyone_;
    const auto parent = by_id_.find(sample.parent);
    if (parent == by_id_.end()) return everyone_;
    for (const std::size_t teacher : everyone_)
      if (rules_.teachers[teacher].name == parent->second->target_teacher.text) return {teacher};
    return everyone_;
  }

  [[nodiscard]] std::vector<std::size_t> bandits_choice(const shard::Sample& sample) const {
    std::vector<Arm> arms;
    bool nothing_known = true;
    for (const auto& teacher : rules_.teachers) {
      const auto found = rules_.records.find(teacher.name);
      const TeacherRecord record = found == rules_.records.end() ? TeacherRecord{} : found->second;
      nothing_known = nothing_known && record.wins + record.losses == 0;
      arms.push_back({record.wins, record.losses, teacher.price_usd});
    }
    if (nothing_known) return everyone_;
    return {choose_arm(arms, Random(rules_.seed, Purpose::draw_policy, sample.id.low64(),
                                    static_cast<std::uint64_t>(rules_.round)))};
  }

  [[nodiscard]] Draw draw(std::size_t sample, std::size_t teacher) const {
    const auto& service = rules_.teachers[teacher];
    const Size size = usable_size(service, set_[sample].width, set_[sample].height);
    return {.sample = sample,
            .teacher = teacher,
            .width = size.width,
            .height = size.height,
            .sample_index = rules_.sample_index,
            .key = teacher::request_key({.service = service.name,
                                         .model = service.model,
                                         .prompt = prompt_sent(set_[sample]),
                                         .width = size.width,
                                         .height = size.height,
                                         .parameters = "png " + service.quality,
                                         .sample_index = rules_.sample_index})};
  }

  const std::vector<shard::Sample>& set_;
  const PlanRules& rules_;
  std::vector<std::size_t> everyone_;
  std::unordered_map<SampleId, const shard::Sample*> by_id_;
};

}  // namespace

Size usable_size(const teacher::ServiceOptions& teacher, int width, int height) {
  const int least = teacher.min_side;
  const int largest = teacher.max_side;
  if (std::min(width, height) >= least && std::max(width, height) <= largest)
    return {width, height};
  const double grow = static_cast<double>(least) / std::min(width, height);
  const double shrink = static_cast<double>(largest) / std::max(width, height);
  const double factor = grow > 1 ? grow : shrink;
  return {to_grid(factor * width, least, largest), to_grid(factor * height, least, largest)};
}

const std::string& prompt_sent(const shard::Sample& sample) {
  return sample.prompt_sent.empty() ? sample.prompt : sample.prompt_sent;
}

std::vector<Draw> plan(const std::vector<shard::Sample>& set, const PlanRules& rules) {
  return Planner(set, rules).plan();
}

void add_records(const std::vector<shard::Pair>& pairs,
                 std::map<std::string, TeacherRecord>& records) {
  for (const auto& pair : pairs) {
    if (pair.verdict == shard::Verdict::unjudgeable || pair.split == shard::Split::heldout)
      continue;
    const double a_won = pair.verdict == shard::Verdict::a   ? 1
                         : pair.verdict == shard::Verdict::b ? 0
                                                             : 0.5;
    records[pair.teacher_a.text].wins += a_won;
    records[pair.teacher_a.text].losses += 1 - a_won;
    records[pair.teacher_b.text].wins += 1 - a_won;
    records[pair.teacher_b.text].losses += a_won;
  }
}

}  // namespace evd::harvest
