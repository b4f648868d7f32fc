#include <map>

#include "core/text.hpp"
#include "report_chart.hpp"
#include "report_html.hpp"
#include "report_sections.hpp"

namespace evd::report {
namespace {

using Rates = std::array<Rate, kCategories.size()> TeacherRates::*;

std::map<std::string, TeacherRates> pooled(const Data& data) {
  std::map<std::string, TeacherRates> sums;
  for (const auto& [round, rates] : data.rates)
    for (const auto& [teacher, its] : rates)
      for (std::size_t c = 0; c < kCategories.size(); ++c)
        for (const Rates kind : {&TeacherRates::won, &TeacherRates::beat}) {
          (sums[teacher].*kind)[c].hits += (its.*kind)[c].hits;
          (sums[teacher].*kind)[c].trials += (its.*kind)[c].trials;
        }
  return sums;
}

std::string rate_cell(const Rate& rate) {
  if (rate.trials == 0) return "–";
  return percent(rate.share()) + " <small>" + grouped(rate.hits) + "/" + grouped(rate.trials) +
         "</small>";
}

std::string rates_table(const Data& data, const std::string& caption, Rates kind) {
  TableView view{caption, {"Teacher", "All", "Human", "Text", "Multi"}, {}};
  bool any = false;
  for (const auto& [teacher, rates] : pooled(data)) {
    std::vector<std::string> row = {escape(teacher)};
    for (const Rate& rate : rates.*kind) {
      row.push_back(rate_cell(rate));
      any = any || rate.trials > 0;
    }
    view.rows.push_back(std::move(row));
  }
  return any ? "<h3>" + caption + "</h3>" + table(view) : "";
}

std::string rates_figure(const Data& data, const std::string& title, const std::string& subtitle,
                         Rates kind, std::size_t category) {
  LineChart chart{title, subtitle, {"round", Ticks::rounds}, {"share", Ticks::percent, 0.0}, {}};
  std::map<std::string, Series> series;
  for (const auto& [round, rates] : data.rates)
    for (const auto& [teacher, its] : rates)
      if (const Rate& rate = (its.*kind)[category]; rate.trials > 0)
        series[teacher].points.push_back({static_cast<double>(round), rate.share()});
  for (auto& [teacher, its] : series) {
    its.name = teacher;
    its.color = service_color(data, teacher);
    chart.series.push_back(std::move(its));
  }
  return figure(chart);
}

std::string bias_figure(const Data& data) {
  LineChart chart{"Pull of the first place",
                  "mean over pairs, as the judge's log-odds; 0 = none; both orders cancel it",
                  {"round", Ticks::rounds},
                  {"bias, logit"},
                  {}};
  Series judge{"judge", 0, {}};
  Series score{"score", 1, {}};
  for (const auto& figures : data.judging)
    if (figures.pairs > figures.unjudgeable)
      (figures.ref.stage == run::Stage::score ? score : judge)
          .points.push_back({static_cast<double>(figures.ref.round), figures.mean_bias});
  bool is_negative = false;
  for (const auto* series : {&judge, &score}) {
    if (!series->points.empty()) chart.series.push_back(*series);
    for (const Point& point : series->points) is_negative = is_negative || point.y < 0;
  }
  if (!is_negative) chart.y.min = 0.0;
  return figure(chart);
}

}  // namespace

std::string teachers_section(const Data& data) {
  std::string figures;
  for (std::size_t c = 0; c < kCategories.size(); ++c)
    figures += rates_figure(data, "Tournaments won: " + category_text(kCategories[c]),
                            "new prompts that every teacher has drawn", &TeacherRates::won, c);
  if (figures.empty()) return "";
  return section(
      "teachers", "Teachers",
      "Whose picture the judge picks as the target, and how often that picture also beats the base "
      "model's. Only prompts that every teacher has drawn count; a prompt may be in several "
      "categories.",
      rates_table(data, "Won the tournament, all rounds", &TeacherRates::won) +
          rates_table(data, "Won it and beat the base model, all rounds", &TeacherRates::beat) +
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
                         judged ? percent(figures.agreeing) : "–",
                         judged ? format("%+.2f", figures.mean_bias) : "–",
                         grouped(figures.answers), grouped(figures.unparsed)});
  }
  return section(
      "judge", "The judge",
      "Every pair is shown in both orders; what the place alone contributes is its bias.",
      table(view) + "<div class=\"charts\">" + bias_figure(data) + "</div>\n");
}

}  // namespace evd::report
