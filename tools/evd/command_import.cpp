#include <algorithm>
#include <iostream>
#include <memory>
#include <unordered_map>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "csv.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "history.hpp"
#include "image/image.hpp"
#include "intake.hpp"
#include "new_directory.hpp"
#include "pool.hpp"
#include "run/admission.hpp"
#include "run/launch.hpp"
#include "run/stage_report.hpp"
#include "run/stage_result.hpp"
#include "shard/identity.hpp"
#include "site.hpp"
#include "teacher/key.hpp"

namespace evd::hands {
namespace {

constexpr const char* kTeacher = "imported";
constexpr run::StageRef kHarvest{run::Stage::harvest, 0};

struct ImportOptions {
  std::filesystem::path directory;
  std::filesystem::path images;
  std::filesystem::path captions;
  PromptColumns columns;
  std::string file_column = "file";
  std::filesystem::path config;
  std::filesystem::path heldout;
  double heldout_share = 0;
  std::string site = "local";
  std::vector<std::string> settings;
};

/// A caption and the picture that goes with it, both looked at.
struct Picture {
  shard::Prompt prompt;
  std::filesystem::path file;
  image::Info info;
};

struct Captions {
  std::vector<Picture> pictures;
  Intake intake;
  std::map<std::string, Remark> lost;  // lines whose picture could not be taken, by why
};

// The file below the folder that a caption names; nothing when the name leads out of it.
std::optional<std::filesystem::path> inside(const std::filesystem::path& folder,
                                            const std::string& name) {
  const auto path = std::filesystem::path(name).lexically_normal();
  if (name.empty() || path.is_absolute() || *path.begin() == "..") return std::nullopt;
  return folder / path;
}

// Why a picture cannot be taken; empty = it can.
std::string look_at(Picture& picture) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(picture.file, ignored)) return "whose image is missing";
  try {
    const auto bytes = fs::read_bytes(picture.file, 64ULL << 20);
    picture.info = image::probe(bytes);
    static_cast<void>(image::decode(bytes));
    return "";
  } catch (const DataError&) {
    return "whose image is damaged or no PNG, JPEG or WebP";
  } catch (const IoError&) {
    return "whose image cannot be read";
  }
}

Captions read_captions(const ImportOptions& options, const run::SetOptions& set) {
  CsvReader csv(options.captions);
  const auto file_column = csv.column(options.file_column);
  if (!file_column)
    throw ConfigurationError(options.captions.string() + ": has no column " + options.file_column +
                             " with the images' names; its columns: " + join(csv.header(), ", ") +
                             " (name another by --file-column)");
  const std::string wanted =
      options.columns.column.empty() && csv.column("caption") ? "caption" : options.columns.column;
  const auto caption_column = text_column(csv, wanted, options.captions);
  const auto categories = csv.column("categories");
  Captions captions{.pictures = {}, .intake = Intake(set), .lost = {}};
  while (auto record = csv.next()) {
    const auto cell = [&](std::size_t i) {
      return i < record->cells.size() ? record->cells[i] : std::string();
    };
    RawPrompt raw{
        .line = record->line, .text = cell(caption_column), .categories = {}, .fault = {}};
    if (record->malformed || record->cut) raw.fault = record->cut ? "over-long" : "not CSV";
    if (categories && !trim(cell(*categories)).empty()) {
      raw.categories = parse_categories(cell(*categories));
      raw.unknown_category = !raw.categories;
    }
    Picture picture;
    const auto path = inside(options.images, cell(*file_column));
    std::string why = raw.fault.empty() && !path ? "whose image is not inside the folder" : "";
    if (raw.fault.empty() && path) {
      picture.file = *path;
      why = look_at(picture);
    }
    if (!why.empty()) {
      captions.lost[why].add(record->line);
      continue;
    }
    if (auto prompt = captions.intake.take(std::move(raw))) {
      picture.prompt = std::move(*prompt);
      captions.pictures.push_back(std::move(picture));
    }
  }
  return captions;
}

std::string summary(const Captions& captions, const std::filesystem::path& file) {
  std::string text = captions.intake.summary("captions of " + file.string() + " with an image");
  for (const auto& [why, remark] : captions.lost)
    text += "  " + std::to_string(remark.count) + (remark.count == 1 ? " line " : " lines ") + why +
            " " + remark.where() + "\n";
  return text;
}

// A campaign whose start set is just what has a picture.
void make_campaign(const ImportOptions& options, const run::Config& config,
                   const Captions& captions) {
  const double begun_s = monotonic_s();
  const std::string site = site_text(options.site);
  std::vector<shard::Prompt> heldout_file;
  if (!options.heldout.empty()) {
    Intake intake(config.set);
    const auto source = open_prompts(options.heldout, {});
    while (auto raw = source->next())
      if (auto prompt = intake.take(std::move(*raw))) heldout_file.push_back(std::move(*prompt));
    std::cout << intake.summary("held-out prompts of " + options.heldout.string());
  }
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
  std::int64_t start = 0;
  for (auto& [id, row] : rows) {
    row.operation = shard::Operation::import;
    start += row.split == shard::Split::train ? 1 : 0;
    sorted.push_back(std::move(row));
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  if (start == 0) throw DataError(options.captions.string() + ": leaves no image to train on");

  NewDirectory guard(options.directory);
  const run::NewCampaign campaign(options.directory, config);
  PoolWriter writer(campaign);
  for (const auto& picture : captions.pictures) writer.add(picture.prompt);
  auto files = writer.finish();
  files.push_back(
      shard::write_table<shard::Sample>(campaign.prompts() / "set.h5", campaign.header(), sorted));
  fs::publish(options.directory / "site.toml", std::string_view(site));
  append_history(options.directory, 0, run::changes(run::Config{}, config));
  const auto all = static_cast<std::int64_t>(sorted.size());
  campaign.finish(files,
                  {{"pool", captions.intake.taken()}, {"start", start}, {"heldout", all - start}},
                  monotonic_s() - begun_s);
  guard.keep();
}

shard::Image row_of(const shard::Sample& sample) {
  shard::Image row;
  row.prompt_id = sample.id;
  row.split = sample.split;
  row.origin = shard::Origin::imported;
  row.teacher.text = kTeacher;
  row.requested_width = sample.width;
  row.requested_height = sample.height;
  return row;
}

shard::Image row_of(const shard::Sample& sample, const Picture& picture) {
  auto row = row_of(sample);
  row.bytes = fs::read_bytes(picture.file, 64ULL << 20);
  row.sha256 = sha256(row.bytes);
  row.key = teacher::request_key({.service = kTeacher,
                                  .model = "",
                                  .prompt = sample.prompt_sent,
                                  .width = sample.width,
                                  .height = sample.height,
                                  .parameters = row.sha256.hex(),
                                  .sample_index = 0});
  row.id = shard::image_id(row.key, row.sha256);
  row.width = picture.info.width;
  row.height = picture.info.height;
  row.mime.text = picture.info.mime;
  return row;
}

// harvest(0) in the shape that the stage gives it: one row for every prompt that the campaign
// starts with, in order of ids, in files of about harvest.shard_mib.
class HarvestWriter {
 public:
  HarvestWriter(const run::Campaign& campaign, const run::Config& config)
      : directory_(campaign.directory(kHarvest)),
        header_{.campaign = campaign.id().hex(),
                .round = 0,
                .stage = "harvest",
                .created = iso8601(utc_ms())},
        limit_bytes_(static_cast<std::size_t>(config.harvest.shard_mib * (1 << 20))) {}

  void add(shard::Image row) {
    bytes_ += row.bytes.size();
    auto& counts = result_.by_teacher[kTeacher];
    const bool ok = row.outcome == shard::Outcome::ok;
    (ok ? result_.counts.done : result_.counts.failed) += 1;
    (ok ? counts.done : counts.failed) += 1;
    rows_.push_back(std::move(row));
    if (bytes_ >= limit_bytes_) flush();
  }
  run::Result finish() {
    if (!rows_.empty() || result_.files.empty()) flush();
    result_.files.push_back(shard::write_table<shard::Call>(directory_ / "calls.h5", header_,
                                                            std::vector<shard::Call>{}));
    return std::move(result_);
  }

 private:
  void flush() {
    const auto name = format("images-%05zu.h5", result_.files.size());
    result_.files.push_back(shard::write_table<shard::Image>(directory_ / name, header_, rows_));
    rows_.clear();
    bytes_ = 0;
  }
  std::filesystem::path directory_;
  shard::FileHeader header_;
  std::size_t limit_bytes_;
  std::vector<shard::Image> rows_;
  std::size_t bytes_ = 0;
  run::Result result_;
};

void publish_harvest(const run::Campaign& campaign, const Captions& captions) {
  const double begun_s = monotonic_s();
  const auto begun_ms = utc_ms();
  const Log log("import", 0);
  const std::string job = run::job_name(std::getenv);
  const auto admission =
      run::admit(campaign, {.self = kHarvest, .rerun = run::Rerun::no, .yes = false, .job = job},
                 run::system_probes(), {}, log);
  if (!admission.lease)
    throw ConfigurationError(
        "harvest(0) of this campaign is done already; import makes a new "
        "campaign, or fills one whose harvest(0) is not done");
  const auto config = campaign.config(0);
  std::unordered_map<SampleId, const Picture*> pictures;
  for (const auto& picture : captions.pictures) pictures.emplace(picture.prompt.id, &picture);
  std::size_t used = 0;
  HarvestWriter writer(campaign, config);
  auto samples = shard::read_table<shard::Sample>(campaign.set_file({run::Stage::init, 0}));
  std::sort(samples.begin(), samples.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const auto& sample : samples) {
    const auto found = pictures.find(sample.id);
    if (found != pictures.end()) {
      ++used;
      writer.add(row_of(sample, *found->second));
      continue;
    }
    // A held-out prompt needs none: it is measured by what the base model draws.
    if (sample.split == shard::Split::heldout) continue;
    auto row = row_of(sample);
    row.outcome = shard::Outcome::failed;
    row.reason.text = "not_imported";
    row.key = teacher::request_key({.service = kTeacher,
                                    .model = "",
                                    .prompt = sample.prompt_sent,
                                    .width = sample.width,
                                    .height = sample.height,
                                    .parameters = "none",
                                    .sample_index = 0});
    writer.add(std::move(row));
  }
  if (used == 0)
    throw DataError("no caption is a prompt of this campaign, so there is nothing to import");
  auto result = writer.finish();
  result.closing_line = std::to_string(used) + " images imported";
  run::StageReport report;
  report.stage = "harvest";
  report.attempt = admission.lease->attempt();
  report.state = "done";
  report.job = job;
  report.software = run::software();
  report.started_ms = begun_ms;
  report.ended_ms = utc_ms();
  report.closing_line = result.closing_line;
  report.counts = result.counts;
  report.by_teacher = result.by_teacher;
  report.seconds = {{"wall", monotonic_s() - begun_s}};
  run::publish_report(campaign.directory(kHarvest), report);
  admission.lease->confirm();
  shard::publish_manifest(campaign.directory(kHarvest),
                          run::manifest_of(campaign, kHarvest, config, result,
                                           {.inputs = admission.inputs,
                                            .attempt = report.attempt,
                                            .ranks = 1,
                                            .seconds = report.seconds,
                                            .accepted_partial_by = ""}));
  std::cout << result.closing_line << " into " << campaign.directory(kHarvest).string() << ", "
            << result.counts.failed << " start prompts have none\n";
  if (used < captions.pictures.size())
    std::cout << captions.pictures.size() - used << " images belong to no prompt of the campaign\n";
}

int import(const ImportOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.images, ignored))
    throw UsageError("--images " + options.images.string() + " is no folder");
  const bool exists =
      std::filesystem::exists(options.directory / "prompts" / "MANIFEST.json", ignored);
  run::Config config;
  if (exists) {
    if (!options.config.empty() || !options.settings.empty() || !options.heldout.empty() ||
        options.heldout_share > 0)
      throw UsageError(options.directory.string() +
                       " is a campaign already: --config, --set and --heldout are for a new one");
    config = run::Campaign(options.directory).config(0);
  } else {
    if (!options.config.empty())
      config = run::parse_config(fs::read_text(options.config), options.config.string());
    run::apply_settings(config, options.settings);
    fix_base_weights(config);
  }
  const auto captions = read_captions(options, config.set);
  std::cout << summary(captions, options.captions);
  if (captions.pictures.empty())
    throw DataError(options.captions.string() + ": no line has both a caption and an image");
  if (!exists) make_campaign(options, config, captions);
  publish_harvest(run::Campaign(options.directory), captions);
  std::cout << "to go on: evd run " << options.directory.string() << " --rounds 1 --ranks 2\n";
  return 0;
}

}  // namespace

Command add_import(CLI::App& app) {
  auto* sub = app.add_subcommand("import",
                                 "Take images and captions that one has as harvest(0), at no cost");
  auto options = std::make_shared<ImportOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory; a new one is made")->required();
  sub->add_option("--images", options->images, "Folder of the images (PNG, JPEG, WebP)")
      ->type_name("FOLDER")
      ->required();
  sub->add_option("--captions", options->captions,
                  "CSV with columns file, caption and perhaps categories")
      ->type_name("FILE")
      ->required();
  sub->add_option("--file-column", options->file_column, "Column of the images' names")
      ->capture_default_str()
      ->type_name("NAME");
  sub->add_option("--column", options->columns.column,
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
