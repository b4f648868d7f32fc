#pragma once

#include <string>
#include <vector>

#include "report_figures.hpp"
#include "report_source.hpp"

namespace evd::report {

/// Everything that the page's tables and charts show, read once.
struct Data {
  run::Config config;
  std::vector<SetCounts> sets;  ///< by judged round
  std::vector<JudgeFigures> judging;
  std::vector<std::pair<int, CallsByService>> calls;  ///< by round, -1 = start
  std::vector<shard::Step> steps;
  std::vector<shard::Metric> metrics;
  std::vector<shard::Sample> set;  ///< the newest: every sample the campaign ever had
  int set_round = -1;              ///< the judge that wrote it; -1 = init
};
[[nodiscard]] Data gather(Source& source);

/// The colour of a teacher or of the judge, the same in all charts.
[[nodiscard]] int service_color(const Data& data, std::string_view service);

/// Teachers that a metric is told of, in the order of the configuration.
[[nodiscard]] std::vector<std::string> metric_teachers(const Data& data, std::string_view metric);

/// A metric by round, with its interval.
[[nodiscard]] std::vector<shard::Metric> find_metrics(const Data& data, std::string_view stage,
                                                      std::string_view metric,
                                                      std::string_view category,
                                                      std::string_view teacher);

}  // namespace evd::report
