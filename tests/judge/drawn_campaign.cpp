#include "judge/drawn_campaign.hpp"

#include <map>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "rehearsal/language.hpp"
#include "rehearsal/painter.hpp"
#include "rehearsal/teachers.hpp"
#include "run/admission.hpp"
#include "run/create.hpp"
#include "run/staleness.hpp"
#include "shard/category.hpp"
#include "shard/identity.hpp"

namespace evd::judge::test {
namespace {

using run::Stage;
using run::StageRef;
using shard::Image;
using shard::Sample;
using shard::Status;

constexpr const char* kToml = R"(
[campaign]
seed = 3
[network]
input_size = 32
[set]
width = 64
height = 64
[vlm]
base_url = "rehearsal"
model = "judge"
price_usd = 0.001
[rehearsal]
enabled = true
)";

std::vector<Sample> samples(int prompts, int heldout) {
  const auto scenes = rehearsal::all_scenes();
  std::vector<Sample> rows;
  Random random(1, Purpose::test);
  for (const auto place : permutation(random, static_cast<std::uint32_t>(scenes.size()))) {
    if (std::ssize(rows) == prompts + heldout) break;
    Sample row;
    row.prompt = rehearsal::prompt_of(scenes[place], rehearsal::Style::plain, random);
    row.prompt_sent = row.prompt;
    row.width = row.height = 64;
    row.id = row.root = shard::sample_id(row.prompt, 64, 64);
    if (std::ssize(rows) >= prompts) {
      row.status = Status::heldout;
      row.split = shard::Split::heldout;
    }
    const auto categories = shard::categorize(row.prompt);
    row.category_human = categories.human;
    row.category_text = categories.text;
    row.category_multi = categories.multi;
    rows.push_back(row);
  }
  return rows;
}

Image row_of(const Sample& sample, const std::string& teacher, int round, const image::Rgb& rgb) {
  Image row;
  row.prompt_id = sample.id;
  row.key = RequestKey(sha256(sample.id.hex() + teacher + std::to_string(round)).bytes());
  row.round = round;
  row.split = sample.split;
  row.teacher = {teacher};
  row.model = {teacher};
  row.bytes = image::encode_png(rgb);
  row.sha256 = sha256(row.bytes);
  row.id = shard::image_id(row.key, row.sha256);
  row.requested_width = row.width = rgb.width;
  row.requested_height = row.height = rgb.height;
  row.mime = {"image/png"};
  return row;
}

Image left_open(Image row) {
  row.outcome = shard::Outcome::open;
  row.bytes.clear();
  row.sha256 = {};
  row.id = shard::image_id(row.key, row.sha256);
  row.width = row.height = 0;
  row.cost_microusd = 0;
  return row;
}

std::vector<Image> drawn(const std::vector<Sample>& of, const run::Config& config, int round,
                         DrawnCampaign::HeldOut heldout) {
  std::vector<Image> rows;
  for (const auto& sample : of) {
    const bool is_heldout = sample.status == Status::heldout;
    if (sample.status != Status::waiting &&
        (!is_heldout || heldout == DrawnCampaign::HeldOut::none))
      continue;
    for (const auto& service : config.teachers) {
      const auto* teacher = rehearsal::find_teacher(service.name);
      auto row = row_of(sample, service.name, round,
                        rehearsal::draw(*teacher, sample.prompt, 64, 64,
                                        Random(9, Purpose::rehearsal, sample.id.low64())));
      row.cost_microusd = 1000;
      if (is_heldout && heldout == DrawnCampaign::HeldOut::open) row = left_open(std::move(row));
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<Image> rendered(const std::vector<Sample>& of, int round) {
  std::vector<Image> rows;
  for (const auto& sample : of) {
    if (sample.status != Status::member && sample.status != Status::heldout) continue;
    Random random(9, Purpose::rehearsal, sample.id.low64() + 1);
    const auto scene = rehearsal::parse_prompt(sample.prompt);
    const bool good = scene && sample.id.low64() % 2 == 0;
    auto row = row_of(sample, "base", round,
                      good ? rehearsal::paint(*scene, 32, 32, {}, random)
                           : rehearsal::paint_blots(32, 32, random));
    row.origin = shard::Origin::base;
    row.checkpoint = sha256("weights of round " + std::to_string(round));
    rows.push_back(row);
  }
  return rows;
}

shard::FileHeader header_of(const run::Campaign& campaign, const StageRef& ref) {
  return {.campaign = campaign.id().hex(),
          .round = ref.round,
          .stage = std::string(name(ref.stage)),
          .created = "2026-01-31T00:00:00Z"};
}

}  // namespace

DrawnCampaign::DrawnCampaign(std::filesystem::path root, int prompts, int heldout,
                             const std::string& toml, double malformed_rate)
    : root_(std::move(root)) {
  std::string text = kToml + format("malformed_rate = %g\n", malformed_rate) + toml;
  for (int i = 0; i < 2; ++i)
    text += "\n[[teacher]]\nname = \"" + std::string(rehearsal::teachers()[i].name) +
            "\"\nbase_url = \"rehearsal\"\nmodel = \"m\"\n";
  const run::NewCampaign fresh(root_, run::parse_config(text, "drawn campaign"));
  const auto rows = samples(prompts, heldout);
  fresh.finish({shard::write_table<Sample>(fresh.prompts() / "set.h5", fresh.header(), rows)}, {},
               0);
  const StageRef start{Stage::evaluate, run::kStartRound};
  const auto campaign = open();
  const auto directory = campaign.directory(start);
  fs::make_directory(directory);
  publish(start, {shard::write_table<Image>(directory / "renders-00000.h5",
                                            header_of(campaign, start), rendered(rows, -1))});
  harvest(0);
}

void DrawnCampaign::publish(const StageRef& ref, const std::vector<shard::FileEntry>& files,
                            const std::map<std::string, std::int64_t>& tallies) const {
  const auto campaign = open();
  const auto config = campaign.config(ref.round);
  run::Standings standings(campaign);
  shard::Manifest manifest;
  manifest.campaign = campaign.id().hex();
  manifest.stage = std::string(name(ref.stage));
  manifest.round = ref.round;
  manifest.software = "test";
  manifest.files = files;
  manifest.tallies = tallies;
  manifest.inputs = run::current_inputs(standings, ref, root_);
  manifest.content = shard::content_of(files);
  manifest.science = run::science_digest(config);
  manifest.config_toml = run::to_toml(config);
  shard::publish_manifest(campaign.directory(ref), manifest);
}

void DrawnCampaign::harvest(int round, HeldOut heldout) const {
  const auto campaign = open();
  const StageRef self{Stage::harvest, round};
  const StageRef from = round == 0 ? StageRef{Stage::init, 0} : StageRef{Stage::judge, round - 1};
  const auto directory = campaign.directory(self);
  fs::make_directory(directory);
  const auto rows = drawn(shard::read_table<Sample>(campaign.set_file(from)),
                          campaign.config(round), round, heldout);
  publish(self, {shard::write_table<Image>(directory / "images-00000.h5", header_of(campaign, self),
                                           rows)});
}

void DrawnCampaign::train_and_evaluate(int round) const {
  const auto campaign = open();
  const StageRef train{Stage::train, round};
  fs::make_directory(campaign.directory(train));
  publish(train, {}, {{"images", kTrainedImages}});
  const StageRef self{Stage::evaluate, round};
  const auto directory = campaign.directory(self);
  fs::make_directory(directory);
  const int staleness = campaign.config(round).train.staleness;
  const StageRef set{Stage::judge, std::max(0, round - staleness)};
  const auto rows = rendered(shard::read_table<Sample>(campaign.set_file(set)), round);
  publish(self, {shard::write_table<Image>(directory / "renders-00000.h5",
                                           header_of(campaign, self), rows)});
}

evd::test::Finished DrawnCampaign::judge(
    int ranks, const std::vector<std::string>& arguments,
    const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> command = {evd::test::program("evd-judge"), root_.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return evd::test::run(
      {.arguments = evd::test::mpirun(ranks, command), .environment = environment});
}

std::string DrawnCampaign::content(const StageRef& ref) const {
  const auto manifest = open().manifest(ref);
  if (!manifest) throw DataError(to_string(ref) + " is not published");
  return manifest->content.hex();
}

}  // namespace evd::judge::test
