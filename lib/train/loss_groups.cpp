#include "train/loss_groups.hpp"

#include <cmath>

#include "core/text.hpp"

namespace evd::train {

LossGroups::LossGroups(std::span<const data::Member> members, const SizeBuckets& buckets) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& member = members[i];
    auto& groups = groups_[member.id];
    if (member.human) groups.push_back(number_of("category/human"));
    if (member.text) groups.push_back(number_of("category/text"));
    if (member.multi) groups.push_back(number_of("category/multi"));
    if (groups.empty()) groups.push_back(number_of("category/other"));
    groups.push_back(number_of("origin/" + std::to_string(member.round_added)));
    if (buckets.table.empty()) continue;
    const auto& bucket = buckets.table[static_cast<std::size_t>(buckets.of[i])];
    groups.push_back(number_of(format("aspect/%.2f", bucket.aspect)));
  }
}

std::uint32_t LossGroups::number_of(const std::string& group) {
  const auto [found, is_new] =
      numbers_.try_emplace(group, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back(group);
  return found->second;
}

std::vector<std::pair<std::string, double>> LossGroups::means(
    std::span<const shard::Visit> visits) const {
  std::vector<double> sums(names_.size());
  std::vector<double> counts(names_.size());
  for (const auto& visit : visits) {
    const auto found = groups_.find(visit.sample);
    if (found == groups_.end() || !std::isfinite(visit.loss)) continue;
    for (const auto group : found->second) {
      sums[group] += double{visit.loss};
      counts[group] += 1;
    }
  }
  std::vector<std::pair<std::string, double>> found;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (counts[i] > 0) found.emplace_back(names_[i], sums[i] / counts[i]);
  }
  return found;
}

}  // namespace evd::train
