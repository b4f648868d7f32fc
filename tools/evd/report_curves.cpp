#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.hpp"
#include "report_chart.hpp"
#include "report_html.hpp"
#include "report_sections.hpp"

namespace evd::report {
namespace {

constexpr std::size_t kMostPoints = 400;

std::string charts(const std::vector<std::string>& figures) {
  std::string inner;
  for (const auto& figure : figures) inner += figure;
  return inner.empty() ? "" : "<div class=\"charts\">" + inner + "</div>\n";
}

std::string loss_figure(const Data& data) {
  std::vector<Point> raw;
  for (const auto& step : data.steps)
    if (!step.skipped && std::isfinite(step.loss))
      raw.push_back({static_cast<double>(step.step), static_cast<double>(step.loss)});
  const double window = std::clamp(static_cast<double>(raw.size()) / 30, 5.0, 500.0);
  LineChart chart{"Training loss",
                  format("mean over the batch; bold: smoothed over %.0f steps", window),
                  {"step"},
                  {"loss"},
                  {}};
  chart.series.push_back({"raw", 0, thinned(raw, kMostPoints), Look::faint});
  chart.series.push_back({"smoothed", 0, thinned(smoothed(raw, window), kMostPoints), Look::plain});
  return figure(chart);
}

std::string gradient_figure(const Data& data) {
  std::vector<Point> raw;
  for (const auto& step : data.steps)
    if (std::isfinite(step.gradient_norm))
      raw.push_back({static_cast<double>(step.step), static_cast<double>(step.gradient_norm)});
  return figure(LineChart{"Gradient norm",
                          "before clipping",
                          {"step"},
                          {"norm", Ticks::number, 0.0},
                          {{"norm", 6, thinned(raw, kMostPoints), Look::plain}}});
}

/// How well the judge finds the best teacher's pictures of the same prompts: what there is to
/// reach.
void add_best_teacher(const Data& data, const char* category, LineChart& chart) {
  double best = -1;
  std::string name;
  for (const auto& teacher : metric_teachers(data, "alignment_teacher"))
    for (const auto& row : find_metrics(data, "score", "alignment_teacher", category, teacher))
      if (row.value > best) {
        best = row.value;
        name = teacher;
      }
  if (best < 0 || chart.series.empty()) return;
  const auto& points = chart.series.front().points;
  chart.series.push_back({"best teacher (" + name + "), judge's score",
                          6,
                          {{points.front().x, best}, {points.back().x, best}},
                          Look::level});
}

std::string alignment_figure(const Data& data, const char* category) {
  LineChart chart{"Alignment: " + category_text(category),
                  "held-out prompts, mean and 95 % interval",
                  {"round", Ticks::rounds},
                  {"alignment", Ticks::percent, 0.0},
                  {}};
  const auto add = [&](const char* name, int color, const char* stage) {
    auto points = points_of(find_metrics(data, stage, "alignment", category, ""));
    if (!points.empty()) chart.series.push_back({name, color, std::move(points)});
  };
  add("yardstick (independent of the judge)", 0, "yardstick");
  add("judge's own score", 1, "score");
  add_best_teacher(data, category, chart);
  return figure(chart);
}

std::string win_figure(const Data& data, const char* category) {
  LineChart chart{"Base against each teacher: " + category_text(category),
                  "share of held-out pairs that the base wins (ties count half), 95 % interval",
                  {"round", Ticks::rounds},
                  {"share won", Ticks::percent, 0.0},
                  {}};
  for (const auto& teacher : metric_teachers(data, "win_share"))
    chart.series.push_back(
        {teacher, service_color(data, teacher),
         points_of(find_metrics(data, "score", "win_share", category, teacher))});
  return figure(chart);
}

std::string set_figure(const Data& data) {
  BarChart chart{"Set and waiting prompts", "by what made them", "round", {"prompts"}, {}, {}};
  constexpr std::array<const char*, 4> kNames = {"start prompts", "expanded", "mutated",
                                                 "imported"};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    chart.layers.push_back({kNames[i], static_cast<int>(i), {}});
  chart.layers.push_back({"waiting for pictures", 6, {}});
  for (const SetCounts& counts : data.sets) {
    chart.groups.push_back(round_label(counts.round));
    for (std::size_t i = 0; i < kNames.size(); ++i)
      chart.layers[i].values.push_back(static_cast<double>(counts.members[i]));
    chart.layers.back().values.push_back(static_cast<double>(counts.waiting));
  }
  std::erase_if(chart.layers, [](const Layer& layer) {
    return std::all_of(layer.values.begin(), layer.values.end(), [](double v) { return v == 0; });
  });
  return figure(chart);
}

std::string removed_figure(const Data& data) {
  BarChart chart{"Prompts that left", "so far, by reason", "round", {"prompts"}, {}, {}};
  constexpr std::array<const char*, 7> kNames = {
      "other",          "learned: the base won", "tie",        "displaced by the cap",
      "refused by all", "failed at all",         "unjudgeable"};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    chart.layers.push_back({kNames[i], static_cast<int>(i + 2), {}});
  for (const SetCounts& counts : data.sets) {
    chart.groups.push_back(round_label(counts.round));
    for (std::size_t i = 0; i < kNames.size(); ++i)
      chart.layers[i].values.push_back(static_cast<double>(counts.removed[i]));
  }
  std::erase_if(chart.layers, [](const Layer& layer) {
    return std::all_of(layer.values.begin(), layer.values.end(), [](double v) { return v == 0; });
  });
  return figure(chart);
}

using Sum = std::int64_t CallFigures::*;

std::string calls_figure(const Data& data, const std::string& title, const std::string& subtitle,
                         Axis y, Sum what, double scale) {
  BarChart chart{title, subtitle, "round", std::move(y), {}, {}};
  std::set<std::string> services;
  for (const auto& [round, calls] : data.calls)
    for (const auto& [service, figures] : calls) services.insert(service);
  for (const auto& service : services)
    chart.layers.push_back({service, service_color(data, service), {}});
  for (const auto& [round, calls] : data.calls) {
    chart.groups.push_back(round_label(round));
    for (Layer& layer : chart.layers) {
      const auto found = calls.find(layer.name);
      layer.values.push_back(
          found == calls.end() ? 0 : static_cast<double>(found->second.*what) * scale);
    }
  }
  return figure(chart);
}

}  // namespace

std::string learning_section(const Data& data) {
  std::vector<std::string> figures;
  for (const char* category : kCategories) figures.push_back(alignment_figure(data, category));
  std::string body = charts(figures);
  figures.clear();
  for (const char* category : kCategories) figures.push_back(win_figure(data, category));
  body += charts(figures) + charts({loss_figure(data), gradient_figure(data)});
  if (body.empty()) return "";
  return section("learning", "Learning",
                 "How well the base model draws held-out prompts, which are never trained on. "
                 "“start” is the untrained model.",
                 body);
}

std::string set_section(const Data& data) {
  const std::string body = charts({set_figure(data), removed_figure(data)});
  if (body.empty()) return "";
  return section("set", "The set",
                 "Prompts where a teacher is better are expanded, prompts that the base has "
                 "learned leave.",
                 body);
}

std::string cost_section(const Source& source, const Data& data) {
  const std::string body =
      charts({calls_figure(data, "Cost", "by service", {"cost, USD", Ticks::usd},
                           &CallFigures::cost_microusd, 1e-6),
              calls_figure(data, "Calls", "HTTP attempts by service", {"calls"},
                           &CallFigures::attempts, 1)});
  if (body.empty()) return "";
  CallsByService sums;
  for (const auto& [round, calls] : data.calls)
    for (const auto& [service, figures] : calls) {
      sums[service].attempts += figures.attempts;
      sums[service].failed += figures.failed;
      sums[service].ambiguous += figures.ambiguous;
      sums[service].cost_microusd += figures.cost_microusd;
    }
  TableView view{
      "Calls of all rounds", {"Service", "Attempts", "Without answer", "Ambiguous", "Cost"}, {}};
  for (const auto& [service, figures] : sums)
    view.rows.push_back({escape(service), grouped(figures.attempts), grouped(figures.failed),
                         grouped(figures.ambiguous), human_usd(figures.cost_microusd)});
  std::string budget;
  for (const auto& result : source.stages())
    if (!result.manifest.accepted_partial_by.empty())
      budget += "<p class=\"note\">" + escape(to_string(result.ref)) + " is partial, accepted by " +
                escape(result.manifest.accepted_partial_by) + ".</p>";
  return section("cost", "Cost and calls",
                 "Ambiguous calls were sent, and no answer was recorded: they may have been "
                 "charged, and are counted with their price.",
                 body + table(view) + budget);
}

}  // namespace evd::report
