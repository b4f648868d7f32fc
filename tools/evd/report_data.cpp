#include "report_data.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace evd::report {
namespace {

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// DIR/metrics/*.h5: what other tools have measured.
void gather_extra_metrics(Source& source, Data& data) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  const auto directory = source.campaign().root() / "metrics";
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
    if (entry.path().extension() == ".h5") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) append(data.metrics, source.rows<shard::Metric>(file));
}

void gather_judge(Source& source, Data& data, int round) {
  using run::Stage;
  auto set = source.rows<shard::Sample>(Stage::judge, round, "set.h5");
  if (set.empty()) return;
  data.sets.push_back(count_set(set, round));
  data.set = std::move(set);
  data.set_round = round;
}

void gather_judging(Source& source, Data& data, run::StageRef ref) {
  if (source.stage(ref.stage, ref.round) == nullptr) return;
  const auto pairs = source.rows<shard::Pair>(ref.stage, ref.round, "pairs.h5");
  const auto answers = source.rows<shard::Answer>(ref.stage, ref.round, "answers.h5");
  if (!pairs.empty() || !answers.empty())
    data.judging.push_back(judge_figures(ref, pairs, answers));
}

}  // namespace

Data gather(Source& source) {
  using enum run::Stage;
  Data data;
  const int last = source.rounds() - 1;
  data.config = source.campaign().config(std::max(0, last));
  data.set = source.rows<shard::Sample>(init, 0, "set.h5");
  for (int round = run::kStartRound; round <= last; ++round) {
    CallsByService calls;
    for (const auto stage : {harvest, judge, score})
      add_calls(calls, source.rows<shard::Call>(stage, round, "calls.h5"));
    if (!calls.empty()) data.calls.emplace_back(round, std::move(calls));
    for (const auto stage : {judge, score}) gather_judging(source, data, {stage, round});
    for (const auto stage : {judge, evaluate, score})
      append(data.metrics, source.rows<shard::Metric>(stage, round, "metrics.h5"));
    if (round < 0) continue;
    gather_judge(source, data, round);
    append(data.steps, source.rows<shard::Step>(train, round, "steps.h5"));
  }
  gather_extra_metrics(source, data);
  return data;
}

int service_color(const Data& data, std::string_view service) {
  const auto& teachers = data.config.teachers;
  const auto found = std::find_if(teachers.begin(), teachers.end(),
                                  [&](const auto& teacher) { return teacher.name == service; });
  return static_cast<int>(found - teachers.begin());
}

std::vector<std::string> metric_teachers(const Data& data, std::string_view metric) {
  std::set<std::string> names;
  for (const auto& row : data.metrics)
    if (row.metric.text == metric && !row.teacher.text.empty()) names.insert(row.teacher.text);
  std::vector<std::string> ordered(names.begin(), names.end());
  std::stable_sort(ordered.begin(), ordered.end(), [&](const auto& a, const auto& b) {
    return service_color(data, a) < service_color(data, b);
  });
  return ordered;
}

std::vector<shard::Metric> find_metrics(const Data& data, std::string_view stage,
                                        std::string_view metric, std::string_view category,
                                        std::string_view teacher) {
  std::vector<shard::Metric> found;
  for (const auto& row : data.metrics)
    if (row.stage.text == stage && row.metric.text == metric && row.category.text == category &&
        row.teacher.text == teacher)
      found.push_back(row);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.round < b.round; });
  return found;
}

}  // namespace evd::report
