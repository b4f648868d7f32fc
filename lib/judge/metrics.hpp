#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "judge/matches.hpp"
#include "judge/plan.hpp"
#include "judge/statistics.hpp"

namespace evd::judge {

/// A number per category: all, human, text, multi (not exclusive).
template <class T>
using ByCategory = std::array<T, 4>;
constexpr std::array<std::string_view, 4> kCategories = {"all", "human", "text", "multi"};
/// Which of kCategories a prompt is in; the first always.
[[nodiscard]] ByCategory<bool> categories_of(const shard::Sample& sample);

[[nodiscard]] shard::Metric metric_row(int round, std::string_view stage, std::string_view metric,
                                       std::string_view category, const std::string& teacher,
                                       const Estimate& estimate);

/// Rows of judge's metrics.h5, all with 95 % intervals and denominators:
///   won_tournament  per teacher: share of tournaments won, over prompts that every teacher that
///                   was asked for them answered (at least two), with all matches judged
///   beat_base       per teacher: share of base-against-target comparisons where its picture is
///                   the target and better, over members that every configured teacher has drawn
///                   (paper Table 3); a teacher outside the configuration is measured on its own
///   members, waiting, members_<operation>   sizes
///   position_bias   mean pull to the first place, in logits; tie_rate, unjudgeable_rate
class Measures {
 public:
  explicit Measures(const Rules& rules) : rules_(rules) {}

  void selected(const shard::Sample& sample, const Item& item, const Tournament& tournament);
  void discriminated(const shard::Sample& sample, shard::Verdict verdict);
  void compared(const Match& match);
  void count(const shard::Sample& sample);

  [[nodiscard]] std::int64_t members() const { return members_[0]; }
  [[nodiscard]] std::int64_t waiting() const { return waiting_[0]; }
  [[nodiscard]] std::vector<shard::Metric> rows() const;

 private:
  struct Rate {
    ByCategory<std::int64_t> hits{};
    ByCategory<std::int64_t> count{};
  };
  void add_rates(std::string_view metric, const std::map<std::string, Rate>& rates,
                 std::vector<shard::Metric>& rows) const;
  void add_sizes(std::string_view metric, const ByCategory<std::int64_t>& sizes,
                 std::vector<shard::Metric>& rows) const;

  const Rules& rules_;
  std::map<std::string, Rate> won_;
  std::map<std::string, Rate> beat_;
  std::vector<double> biases_;
  std::int64_t ties_ = 0;
  std::int64_t unjudgeable_ = 0;
  ByCategory<std::int64_t> members_{};
  ByCategory<std::int64_t> waiting_{};
  std::array<ByCategory<std::int64_t>, 4> by_operation_{};
};

}  // namespace evd::judge
