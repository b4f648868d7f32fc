#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "report_source.hpp"

namespace evd::report {

/// Where the pictures of a prompt lie: the base model's by round, the teachers' by name.
struct PromptPictures {
  std::map<int, shard::ImageLocation> base;
  std::map<std::string, shard::ImageLocation> teachers;
};

/// Pictures of all held-out prompts, and the base's renders of members. Only rows are read, no
/// pixels.
class Renders {
 public:
  explicit Renders(Source& source);

  [[nodiscard]] const PromptPictures* find(const SampleId& id) const;
  /// Rounds that have renders, -1 = start; at most `count` of them: the first, the last, and evenly
  /// between.
  [[nodiscard]] std::vector<int> some_rounds(std::size_t count) const;

 private:
  std::unordered_map<SampleId, PromptPictures> pictures_;
  std::vector<int> rounds_;
};

}  // namespace evd::report
