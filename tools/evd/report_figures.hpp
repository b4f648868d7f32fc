#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "report_source.hpp"
#include "shard/rows.hpp"

namespace evd::report {

inline constexpr std::array<const char*, 4> kCategories = {"all", "human", "text", "multi"};
/// What a reader calls it: "people", "written text", ...
[[nodiscard]] std::string category_text(std::string_view category);
/// Whether a sample counts in kCategories[index].
[[nodiscard]] bool in_category(const shard::Sample& sample, std::size_t index);

/// The make-up of a round's set.
struct SetCounts {
  int round = 0;
  std::array<std::int64_t, EnumNames<shard::Operation>::value.size()> members{};  ///< by operation
  std::int64_t waiting = 0;
  std::int64_t added = 0;  ///< written in this round by expansion or mutation
  std::array<std::int64_t, EnumNames<shard::Removal>::value.size()> removed{};  ///< so far, by why
  [[nodiscard]] std::int64_t all_members() const;
  [[nodiscard]] std::int64_t all_removed() const;
};
[[nodiscard]] SetCounts count_set(const std::vector<shard::Sample>& set, int round);

/// How the VLM behaved in one stage.
struct JudgeFigures {
  run::StageRef ref;
  std::int64_t pairs = 0;
  std::int64_t ties = 0;
  std::int64_t unjudgeable = 0;
  double agreeing = 0;  ///< share of judged pairs whose two orders name the same winner
  std::int64_t answers = 0;
  std::int64_t unparsed = 0;
};
[[nodiscard]] JudgeFigures judge_figures(run::StageRef ref, const std::vector<shard::Pair>& pairs,
                                         const std::vector<shard::Answer>& answers);

/// HTTP attempts of a round, by service.
struct CallFigures {
  std::int64_t attempts = 0;
  std::int64_t failed = 0;  ///< without a usable answer
  std::int64_t ambiguous = 0;
  std::int64_t cost_microusd = 0;
};
using CallsByService = std::map<std::string, CallFigures>;
void add_calls(CallsByService& sums, const std::vector<shard::Call>& calls);

}  // namespace evd::report
