#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/members.hpp"
#include "shard/training_rows.hpp"
#include "train/features.hpp"

namespace evd::train {

/// Whose loss a curve shows: of members by category of the prompt (one may have several), by round
/// of origin, and by size bucket where there are several.
class LossGroups {
 public:
  LossGroups() = default;
  LossGroups(std::span<const data::Member> members, const SizeBuckets& buckets);

  /// Mean of the finite losses of each group that has any: "category/text", "origin/3",
  /// "aspect/0.57".
  [[nodiscard]] std::vector<std::pair<std::string, double>> means(
      std::span<const shard::Visit> visits) const;

 private:
  [[nodiscard]] std::uint32_t number_of(const std::string& group);

  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::unordered_map<SampleId, std::vector<std::uint32_t>> groups_;
};

}  // namespace evd::train
