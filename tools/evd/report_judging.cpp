#include <cmath>

#include "core/text.hpp"
#include "report_chart.hpp"
#include "report_html.hpp"
#include "report_sections.hpp"

namespace evd::report {
namespace {

// Hits and trials of a rate over all rounds.
struct Pooled {
  double hits = 0;
  std::int64_t trials = 0;
};

Pooled pooled(const Data& data, const char* metric, const char* category,
              const std::string& teacher) {
  Pooled sum;
  for (const auto& row : find_metrics(data, "judge", metric, category, teacher)) {
    sum.hits += row.value * static_cast<double>(row.count);
    sum.trials += row.count;
  }
  return sum;
}

std::string rate_cell(const Pooled& rate) {
  if (rate.trials == 0) return "–";
  return percent(rate.hits / static_cast<double>(rate.trials)) + " <small>" +
         grouped(std::llround(rate.hits)) + "/" + grouped(rate.trials) + "</small>";
}

std::string rates_table(const Data& data, const std::string& caption, const char* metric) {
  TableView view{caption, {"Teacher", "All", "Human", "Text", "Multi"}, {}};
  for (const auto& teacher : metric_teachers(data, metric)) {
    std::vector<std::string> row = {escape(teacher)};
    for (const char* category : kCategories)
      row.push_back(rate_cell(pooled(data, metric, category, teacher)));
    view.rows.push_back(std::move(row));
  }
  return view.rows.empty() ? "" : "<h3>" + caption + "</h3>" + table(view);
}

std::string rates_figure(const Data& data, const char* metric, const char* category,
                         const std::string& title, const std::string& subtitle) {
  LineChart chart{title + ": " + category_text(category),
                  subtitle,
                  {"round", Ticks::rounds},
                  {"share", Ticks::percent, 0.0},
                  {}};
  for (const auto& teacher : metric_teachers(data, metric))
    chart.series.push_back({teacher, service_color(data, teacher),
                            points_of(find_metrics(data, "judge", metric, category, teacher))});
  return figure(chart);
}

std::string bias_figure(const Data& data) {
  LineChart chart{"Pull of the first place",
                  "mean over pairs, as the judge's log-odds; both orders cancel it",
                  {"round", Ticks::rounds},
                  {"bias, logit"},
                  {}};
  bool is_negative = false;
  int color = 0;
  for (const char* stage : {"judge", "score"}) {
    auto points = points_of(find_metrics(data, stage, "position_bias", "all", ""));
    for (const Point& point : points) is_negative = is_negative || point.low < 0;
    if (!points.empty()) chart.series.push_back({stage, color, std::move(points)});
    ++color;
  }
  if (!is_negative) chart.y.min = 0.0;
  return figure(chart);
}

std::string bias_of(const Data& data, const run::StageRef& ref) {
  for (const auto& row : find_metrics(data, name(ref.stage), "position_bias", "all", ""))
    if (row.round == ref.round) return format("%+.2f", row.value);
  return "–";
}

}  // namespace

std::vector<Point> points_of(const std::vector<shard::Metric>& rows) {
  std::vector<Point> points;
  for (const auto& row : rows)
    points.push_back({static_cast<double>(row.round), row.value, row.low, row.high});
  return points;
}

std::string teachers_section(const Data& data) {
  std::string figures;
  for (const char* category : kCategories)
    figures += rates_figure(data, "won_tournament", category, "Tournaments won",
                            "new prompts that every teacher has drawn, 95 % interval");
  if (figures.empty()) return "";
  return section(
      "teachers", "Teachers",
      "Whose picture the judge picks as the target, and how often that picture also beats the base "
      "model's. Only prompts that every teacher has drawn count; a prompt may be in several "
      "categories.",
      rates_table(data, "Won the tournament, all rounds", "won_tournament") +
          rates_table(data, "Won it and beat the base model, all rounds", "beat_base") +
          "<div class=\"charts\">" + figures + "</div>\n");
}

std::string judge_section(const Data& data) {
  if (data.judging.empty()) return "";
  TableView view{"Judge",
                 {"Stage", "Pairs", "Ties", "Unjudgeable", "Both orders agree", "Bias, logit",
                  "Answers", "Unreadable answers"},
                 {}};
  for (const auto& figures : data.judging) {
    const bool judged = figures.pairs > figures.unjudgeable;
    view.rows.push_back({escape(to_string(figures.ref)), grouped(figures.pairs),
                         grouped(figures.ties), grouped(figures.unjudgeable),
                         judged ? percent(figures.agreeing) : "–", bias_of(data, figures.ref),
                         grouped(figures.answers), grouped(figures.unparsed)});
  }
  return section(
      "judge", "The judge",
      "Every pair is shown in both orders; what the place alone contributes is its bias.",
      table(view) + "<div class=\"charts\">" + bias_figure(data) + "</div>\n");
}

}  // namespace evd::report
