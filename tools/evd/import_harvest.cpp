#include "import_harvest.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "run/admission.hpp"
#include "run/launch.hpp"
#include "run/stage_report.hpp"
#include "run/stage_result.hpp"
#include "shard/identity.hpp"
#include "shard/table.hpp"
#include "teacher/key.hpp"

namespace evd::hands {
namespace {

constexpr const char* kTeacher = "imported";
constexpr run::StageRef kHarvest{run::Stage::harvest, 0};

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

// report.json, as the program shell writes it.
run::StageReport report_of(const run::Result& result, const std::string& job, int attempt,
                           std::int64_t begun_ms) {
  run::StageReport report;
  report.stage = "harvest";
  report.attempt = attempt;
  report.state = "done";
  report.job = job;
  report.software = run::software();
  report.started_ms = begun_ms;
  report.ended_ms = utc_ms();
  report.closing_line = result.closing_line;
  report.counts = result.counts;
  report.by_teacher = result.by_teacher;
  report.seconds = {{"wall", static_cast<double>(report.ended_ms - begun_ms) / 1e3}};
  return report;
}

}  // namespace

void publish_imported(const run::Campaign& campaign, const Captions& captions) {
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
  const auto report = report_of(result, job, admission.lease->attempt(), begun_ms);
  run::publish_report(campaign.directory(kHarvest), report);
  admission.lease->confirm();
  shard::publish_manifest(campaign.directory(kHarvest),
                          run::manifest_of(campaign, kHarvest, config, result,
                                           {.inputs = admission.inputs,
                                            .attempt = report.attempt,
                                            .job = job,
                                            .ranks = 1,
                                            .seconds = report.seconds,
                                            .accepted_partial_by = ""}));
  std::cout << result.closing_line << " into " << campaign.directory(kHarvest).string() << ", "
            << result.counts.failed << " start prompts have none\n";
  if (used < captions.pictures.size())
    std::cout << captions.pictures.size() - used << " images belong to no prompt of the campaign\n";
}

}  // namespace evd::hands
