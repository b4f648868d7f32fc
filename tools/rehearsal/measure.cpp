#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "image/image.hpp"
#include "rehearsal/commands.hpp"
#include "rehearsal/language.hpp"
#include "rehearsal/yardstick.hpp"
#include "run/campaign.hpp"
#include "shard/table.hpp"

namespace evd::rehearsal {
namespace {

constexpr std::array<std::string_view, 4> kCategories = {"all", "human", "text", "multi"};

using Scenes = std::map<SampleId, Scene>;

// The held-out prompts of the language, by id; how many others there are.
struct Heldout {
  Scenes scenes;
  std::size_t outside = 0;
};

Heldout read_heldout(const run::Campaign& campaign) {
  Heldout heldout;
  const auto file = campaign.set_file({run::Stage::init, 0});
  for (const shard::Sample& sample : shard::read_table<shard::Sample>(file)) {
    if (sample.split != shard::Split::heldout) continue;
    if (auto scene = parse_prompt(sample.prompt)) {
      heldout.scenes.emplace(sample.id, std::move(*scene));
    } else {
      ++heldout.outside;
    }
  }
  return heldout;
}

using Values = std::map<std::string_view, std::vector<double>>;  // by category

void add(Values& values, const Scene& scene, double alignment) {
  const Categories categories = categories_of(scene);
  values["all"].push_back(alignment);
  if (categories.human) values["human"].push_back(alignment);
  if (categories.text) values["text"].push_back(alignment);
  if (categories.multi) values["multi"].push_back(alignment);
}

Values measure_round(const shard::Manifest& manifest, const std::filesystem::path& directory,
                     const Scenes& scenes, const Yardstick& yardstick) {
  Values values;
  for (const shard::FileEntry& entry : manifest.files) {
    if (entry.table != shard::table_name<shard::Image>()) continue;
    const shard::Table<shard::Image> table(directory / entry.name);
    const auto images = table.read();
    for (std::size_t row = 0; row < images.size(); ++row) {
      const shard::Image& image = images[row];
      const auto scene = scenes.find(image.prompt_id);
      if (image.split != shard::Split::heldout || image.outcome != shard::Outcome::ok ||
          scene == scenes.end())
        continue;
      const auto bytes = table.blob(static_cast<std::int64_t>(row));
      add(values, scene->second, yardstick.alignment(scene->second, image::decode(bytes)));
    }
  }
  return values;
}

void print_row(int round, const Values& values) {
  std::printf("%-7s", round == run::kStartRound ? "start" : std::to_string(round).c_str());
  for (const std::string_view category : kCategories) {
    const auto found = values.find(category);
    const Estimate e = estimate(found == values.end() ? std::vector<double>{} : found->second);
    if (e.count == 0) {
      std::printf("  %-23s", "-");
    } else {
      std::printf("  %.3f [%.3f, %.3f] %4zu", e.mean, e.low, e.high, e.count);
    }
  }
  std::printf("\n");
}

void measure(const std::string& directory) {
  const run::Campaign campaign(directory);
  const Heldout heldout = read_heldout(campaign);
  const Yardstick yardstick;
  std::vector<shard::Metric> rows;
  std::printf("Alignment of held-out renders with what their prompts mean, 95 %% intervals\n%-7s",
              "round");
  for (const std::string_view category : kCategories)
    std::printf("  %-25s", std::string(category).c_str());
  std::printf("\n");
  for (int round = run::kStartRound; round < campaign.rounds_begun(); ++round) {
    const run::StageRef stage{run::Stage::evaluate, round};
    const auto manifest = campaign.manifest(stage);
    if (!manifest) continue;
    const Values values =
        measure_round(*manifest, campaign.directory(stage), heldout.scenes, yardstick);
    print_row(round, values);
    for (const auto& [category, list] : values) {
      const Estimate e = estimate(list);
      rows.push_back({.round = round,
                      .stage = {"yardstick"},
                      .metric = {"alignment"},
                      .category = {std::string(category)},
                      .teacher = {""},
                      .value = e.mean,
                      .low = e.low,
                      .high = e.high,
                      .count = static_cast<std::int64_t>(e.count)});
    }
  }
  if (heldout.outside > 0)
    std::printf("%zu held-out prompts lie outside the scene language and are not measured\n",
                heldout.outside);
  const auto metrics = campaign.root() / "metrics";
  fs::make_directory(metrics);
  shard::write_table<shard::Metric>(metrics / "yardstick.h5",
                                    {.campaign = campaign.id().hex(),
                                     .round = 0,
                                     .stage = "yardstick",
                                     .created = iso8601(utc_ms())},
                                    rows);
}

}  // namespace

Command add_measure(CLI::App& app) {
  auto* command = app.add_subcommand(
      "measure", "Measure a campaign's renders by the yardstick: table, and metrics/yardstick.h5");
  const auto directory = std::make_shared<std::string>();
  command->add_option("campaign", *directory, "Campaign directory")->required();
  return {command, [directory] { measure(*directory); }};
}

}  // namespace evd::rehearsal
