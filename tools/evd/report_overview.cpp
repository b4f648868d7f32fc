#include <algorithm>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "report_chart.hpp"
#include "report_html.hpp"
#include "report_sections.hpp"

namespace evd::report {
namespace {

using run::Stage;

std::string figure_box(const std::string& head, const std::string& value, const std::string& more) {
  return "<div><dt>" + head + "</dt><dd>" + value +
         (more.empty() ? "" : " <small>" + more + "</small>") + "</dd></div>";
}

double seconds(const shard::Manifest& manifest, const std::string& what) {
  const auto found = manifest.seconds.find(what);
  return found == manifest.seconds.end() ? 0 : found->second;
}

// The zeroth and the newest point of the alignment curve: the yardstick's where there is one.
std::string alignment_box(const Data& data) {
  for (const char* stage : {"yardstick", "score"}) {
    const auto points = find_metrics(data, stage, "alignment", "all", "");
    if (points.empty()) continue;
    const std::string by = std::string(", by the ") + (stage[0] == 'y' ? "yardstick" : "judge");
    return figure_box("Alignment", percent(points.back().value),
                      "of held-out prompts; " + percent(points.front().value) + " " +
                          (points.front().round < 0 ? "at the start" : "at first") + by);
  }
  return "";
}

std::string members_box(const Data& data) {
  if (data.sets.empty()) return "";
  const SetCounts& last = data.sets.back();
  return figure_box(
      "Set", grouped(last.all_members()),
      grouped(last.waiting) + " waiting, " + grouped(last.all_removed()) + " removed");
}

std::string cell_seconds(const Source& source, Stage stage, int round) {
  const StageResult* result = source.stage(stage, round);
  return result == nullptr ? "–" : human_duration(seconds(result->manifest, "wall"));
}

std::string cell_count(const Source& source, Stage stage, int round) {
  const StageResult* result = source.stage(stage, round);
  return result == nullptr ? "–" : grouped(result->manifest.counts.done);
}

std::int64_t cost_of_round(const Source& source, int round) {
  std::int64_t sum = 0;
  for (const auto& result : source.stages())
    if (result.ref.round == round && result.ref.stage != Stage::init)
      sum += result.manifest.cost_microusd;
  return sum;
}

const SetCounts* set_of(const Data& data, int round) {
  const auto found = std::find_if(data.sets.begin(), data.sets.end(),
                                  [&](const SetCounts& counts) { return counts.round == round; });
  return found == data.sets.end() ? nullptr : &*found;
}

std::string last_loss(const Data& data, int round) {
  std::vector<Point> points;
  for (const auto& step : data.steps)
    if (step.round == round && !step.skipped)
      points.push_back({static_cast<double>(step.step), static_cast<double>(step.loss)});
  return points.empty() ? "–" : format("%.4f", smoothed(points, 50).back().y);
}

std::vector<std::string> round_row(const Source& source, const Data& data, int round) {
  const SetCounts* set = set_of(data, round);
  const auto count = [&](std::int64_t number) { return set ? grouped(number) : std::string("–"); };
  return {round_label(round),
          cell_count(source, Stage::harvest, round),
          count(set ? set->all_members() : 0),
          count(set ? set->added : 0),
          count(set ? set->all_removed() : 0),
          cell_count(source, Stage::evaluate, round),
          last_loss(data, round),
          human_usd(cost_of_round(source, round)),
          cell_seconds(source, Stage::harvest, round),
          cell_seconds(source, Stage::judge, round),
          cell_seconds(source, Stage::train, round),
          cell_seconds(source, Stage::evaluate, round),
          cell_seconds(source, Stage::score, round)};
}

std::string stages_table(const Source& source) {
  TableView view{"Finished stages",
                 {"Stage", "Done", "Refused", "Failed", "Open", "Cost", "Wall", "Ranks", "Attempt",
                  "Finished (UTC)", "Content"},
                 {}};
  for (const auto& result : source.stages()) {
    const shard::Manifest& manifest = result.manifest;
    view.rows.push_back({escape(to_string(result.ref)), grouped(manifest.counts.done),
                         grouped(manifest.counts.refused), grouped(manifest.counts.failed),
                         grouped(manifest.counts.open), human_usd(manifest.cost_microusd),
                         human_duration(seconds(manifest, "wall")), grouped(manifest.ranks),
                         grouped(manifest.attempt), iso8601(manifest.created_ms),
                         "<code>" + manifest.content.hex().substr(0, 12) + "</code>"});
  }
  return details("Every stage", table(view));
}

}  // namespace

std::string headline(const Source& source, const Data& data) {
  std::int64_t pictures = 0;
  std::int64_t answers = 0;
  std::int64_t cost = 0;
  std::int64_t ambiguous = 0;
  double wall_s = 0;
  int finished_rounds = 0;
  for (const auto& [ref, directory, manifest] : source.stages()) {
    if (ref.stage == Stage::harvest) pictures += manifest.counts.done;
    if (ref.stage == Stage::evaluate && ref.round >= 0) ++finished_rounds;
    cost += manifest.cost_microusd;
    ambiguous += manifest.ambiguous_microusd;
    wall_s += seconds(manifest, "wall");
  }
  for (const auto& figures : data.judging) answers += figures.answers;
  return "<dl class=\"figures\">" +
         figure_box("Rounds", grouped(finished_rounds),
                    source.rounds() > finished_rounds ? grouped(source.rounds()) + " begun" : "") +
         alignment_box(data) + members_box(data) +
         figure_box("Teachers' pictures", grouped(pictures), "") +
         figure_box("Judge's answers", grouped(answers), "") +
         figure_box("Cost", human_usd(cost),
                    ambiguous > 0 ? "perhaps " + human_usd(ambiguous) + " more" : "") +
         figure_box("Time", human_duration(wall_s), "of all stages, one after another") + "</dl>\n";
}

std::string rounds_section(const Source& source, const Data& data) {
  TableView view{
      "Rounds",
      {"Round", "Teachers’<br>pictures", "Members", "New<br>prompts", "Removed<br>so far",
       "Renders", "Loss", "Cost", "harvest", "judge", "train", "evaluate", "score"},
      {}};
  if (source.stage(Stage::evaluate, run::kStartRound) != nullptr ||
      source.stage(Stage::score, run::kStartRound) != nullptr)
    view.rows.push_back(round_row(source, data, run::kStartRound));
  for (int round = 0; round < source.rounds(); ++round)
    view.rows.push_back(round_row(source, data, round));
  if (view.rows.empty()) return "";
  return section("rounds", "Rounds",
                 "What each round bought, decided and trained, and the wall time of its stages.",
                 table(view) + stages_table(source));
}

std::string configuration_section(const Source& source, const Data& data) {
  std::string files;
  if (source.rounds() > 0)
    files = "<p class=\"note\">In force in round " + std::to_string(source.rounds() - 1) +
            "; earlier rounds may differ, their manifests hold theirs.</p>";
  return section(
      "configuration", "Configuration", "",
      details("Every key", files + "<pre>" + escape(run::to_toml(data.config)) + "</pre>"));
}

}  // namespace evd::report
