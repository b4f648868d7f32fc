#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <unordered_map>

#include <CLI/CLI.hpp>

#include "captions.hpp"
#include "commands.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "history.hpp"
#include "import_harvest.hpp"
#include "new_directory.hpp"
#include "pool.hpp"
#include "run/encoder_files.hpp"
#include "site.hpp"

namespace evd::hands {
namespace {

struct ImportOptions {
  std::filesystem::path directory;
  CaptionFiles files;
  std::filesystem::path config;
  std::filesystem::path heldout;
  double heldout_share = 0;
  std::string site = "local";
  std::vector<std::string> settings;
};

// The start set of a campaign that is just what has a picture, in order of ids.
std::vector<shard::Sample> start_set(const ImportOptions& options, const run::Config& config,
                                     const Captions& captions) {
  std::vector<shard::Prompt> heldout_file;
  if (!options.heldout.empty()) heldout_file = read_heldout(options.heldout, {}, config.set);
  std::unordered_map<SampleId, shard::Sample> rows;
  for (const auto& picture : captions.pictures)
    rows.emplace(picture.prompt.id, sample_of(picture.prompt, shard::Split::train, config.set));
  if (options.heldout_share > 0) {
    const auto count = std::max(
        1LL, std::llround(options.heldout_share * static_cast<double>(captions.intake.taken())));
    for (const auto& id : draw(captions.intake.ids(), static_cast<std::size_t>(count),
                               config.campaign.seed, Purpose::heldout)) {
      rows.at(id).split = shard::Split::heldout;
      rows.at(id).status = shard::Status::heldout;
    }
  }
  for (const auto& prompt : heldout_file)
    rows.insert_or_assign(prompt.id, sample_of(prompt, shard::Split::heldout, config.set));
  std::vector<shard::Sample> sorted;
  for (auto& [id, row] : rows) {
    row.operation = shard::Operation::import;
    sorted.push_back(std::move(row));
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return sorted;
}

void make_campaign(const ImportOptions& options, const run::Config& config,
                   const Captions& captions) {
  const double begun_s = monotonic_s();
  const std::string site = site_text(options.site);
  const auto set = start_set(options, config, captions);
  const auto start = std::count_if(
      set.begin(), set.end(), [](const auto& row) { return row.split == shard::Split::train; });
  if (start == 0)
    throw DataError(options.files.captions.string() + ": leaves no image to train on");

  NewDirectory guard(options.directory);
  const run::NewCampaign campaign(options.directory, config);
  PoolWriter writer(campaign);
  for (const auto& picture : captions.pictures) writer.add(picture.prompt);
  auto files = writer.finish();
  files.push_back(
      shard::write_table<shard::Sample>(campaign.prompts() / "set.h5", campaign.header(), set));
  fs::publish(options.directory / "site.toml", std::string_view(site));
  append_history(options.directory, 0, run::changes(run::Config{}, config));
  campaign.finish(
      files,
      {{"pool", captions.intake.taken()}, {"start", start}, {"heldout", std::ssize(set) - start}},
      monotonic_s() - begun_s);
  guard.keep();
}

run::Config config_of_options(const ImportOptions& options) {
  run::Config config;
  if (!options.config.empty())
    config = run::parse_config(fs::read_text(options.config), options.config.string());
  run::apply_settings(config, options.settings);
  fix_base_weights(config);
  run::fix_encoders(config);
  return config;
}

// An import that ended between its campaign and its pictures is gone on with by the same command,
// so settings that would make just this campaign are no mistake.
void require_same_campaign(const ImportOptions& options, const run::Campaign& campaign,
                           const Captions& captions) {
  const bool is_for_new = !options.config.empty() || !options.settings.empty() ||
                          !options.heldout.empty() || options.heldout_share > 0;
  if (!is_for_new) return;
  const auto config = config_of_options(options);
  const auto is = shard::read_table<shard::Sample>(campaign.set_file({run::Stage::init, 0}));
  const bool same = run::changes(campaign.config(0), config).empty() &&
                    shard::content_digest<shard::Sample>(start_set(options, config, captions)) ==
                        shard::content_digest<shard::Sample>(is);
  if (!same)
    throw UsageError(options.directory.string() +
                     " is a campaign already, with other settings or prompts: --config, --set and "
                     "--heldout are for a new one");
}

int import(const ImportOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.files.images, ignored))
    throw UsageError("--images " + options.files.images.string() + " is no folder");
  const bool exists =
      std::filesystem::exists(options.directory / "prompts" / "MANIFEST.json", ignored);
  const auto config =
      exists ? run::Campaign(options.directory).config(0) : config_of_options(options);
  const auto captions = read_captions(options.files, config.set);
  std::cout << captions.summary(options.files.captions);
  if (captions.pictures.empty())
    throw DataError(options.files.captions.string() + ": no line has both a caption and an image");
  if (exists)
    require_same_campaign(options, run::Campaign(options.directory), captions);
  else
    make_campaign(options, config, captions);
  publish_imported(run::Campaign(options.directory), captions);
  std::cout << "to go on: evd run " << shell_word(options.directory.string())
            << " --rounds 1 --ranks 2\n";
  return 0;
}

}  // namespace

Command add_import(CLI::App& app) {
  auto* sub = app.add_subcommand("import",
                                 "Take images and captions that one has as harvest(0), at no cost");
  auto options = std::make_shared<ImportOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory; a new one is made")->required();
  sub->add_option("--images", options->files.images, "Folder of the images (PNG, JPEG, WebP)")
      ->type_name("FOLDER")
      ->required();
  sub->add_option("--captions", options->files.captions,
                  "CSV with columns file, caption and perhaps categories")
      ->type_name("FILE")
      ->required();
  sub->add_option("--file-column", options->files.file_column, "Column of the images' names")
      ->capture_default_str()
      ->type_name("NAME");
  sub->add_option("--column", options->files.caption_column,
                  "Column of the captions [caption, prompt or text]")
      ->type_name("NAME");
  sub->add_option("--config", options->config, "Configuration of a new campaign (TOML)")
      ->type_name("FILE");
  auto* heldout =
      sub->add_option("--heldout", options->heldout, "Prompts to measure on, new campaign")
          ->type_name("FILE");
  sub->add_option("--heldout-share", options->heldout_share,
                  "Share of the captions to hold out, new campaign")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str()
      ->type_name("SHARE")
      ->excludes(heldout);
  sub->add_option("--site", options->site, "Site file of a new campaign")
      ->capture_default_str()
      ->type_name("S");
  sub->add_option("--set", options->settings, "Another value of a key, new campaign")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  return {sub, [options] { return import(*options); }};
}

}  // namespace evd::hands
