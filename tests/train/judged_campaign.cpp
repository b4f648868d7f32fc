#include "train/judged_campaign.hpp"

#include <array>

#include "core/random.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "image/image.hpp"
#include "run/campaign.hpp"
#include "run/create.hpp"
#include "run/encoder_files.hpp"
#include "shard/identity.hpp"
#include "shard/table.hpp"

namespace evd::test {
namespace {

constexpr const char* kConfig = R"(
[campaign]
seed = 11
[network]
input_size = 16
patch = 4
width = 32
depth = 2
head_dim = 16
caption_width = 16
max_tokens = 6
[set]
width = 32
height = 32
[train]
steps_per_round = 12
batch = 10
lr = 2e-3
warmup_steps = 3
ema = 0.9
checkpoint_every = 4
[rehearsal]
enabled = true
[vlm]
base_url = "rehearsal"
[[teacher]]
name = "alpha"
min_side = 16
base_url = "rehearsal"
)";

struct Colour {
  const char* name;
  std::array<std::uint8_t, 3> rgb;
};
constexpr std::array<Colour, 4> kColours = {{{"red", {220, 30, 30}},
                                             {"blue", {30, 40, 220}},
                                             {"green", {20, 160, 40}},
                                             {"grey", {128, 128, 128}}}};
constexpr std::array<const char*, 6> kPlaces = {"left", "right", "top", "low", "all", "none"};

struct Sides {
  int width = 32;
  int height = 32;
};
// Of the pictures of each place, where they are not all squares.
constexpr std::array<Sides, 6> kMixedSides = {
    {{32, 32}, {64, 32}, {32, 64}, {32, 32}, {40, 32}, {64, 32}}};

image::Rgb picture(const Colour& colour, std::size_t place, const Sides& sides) {
  const auto [width, height] = sides;
  image::Rgb image{width, height,
                   std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), 250)};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool inside = (place == 0 && x < 16) || (place == 1 && x >= 16) ||
                          (place == 2 && y < 16) || (place == 3 && y >= 16) || place == 4;
      if (!inside) continue;
      for (int c = 0; c < 3; ++c) {
        image.pixels[static_cast<std::size_t>((y * width + x) * 3 + c)] =
            colour.rgb[static_cast<std::size_t>(c)];
      }
    }
  }
  return image;
}

struct World {
  std::vector<shard::Sample> samples;
  std::vector<shard::Image> images;
};

World make_world(bool mixed) {
  World world;
  for (const auto& colour : kColours) {
    for (std::size_t place = 0; place < kPlaces.size(); ++place) {
      shard::Sample sample;
      sample.prompt = sample.prompt_sent = std::string(colour.name) + " square " + kPlaces[place];
      const Sides sides = mixed ? kMixedSides[place] : Sides{};
      sample.width = sides.width;
      sample.height = sides.height;
      sample.id = sample.root = shard::sample_id(sample.prompt, sides.width, sides.height);
      shard::Image image;
      image.prompt_id = sample.id;
      image.key = RequestKey(sha256(sample.prompt).bytes());
      image.teacher = {"alpha"};
      image.requested_width = image.width = sides.width;
      image.requested_height = image.height = sides.height;
      image.mime = {"image/png"};
      image.bytes = image::encode_png(picture(colour, place, sides));
      image.sha256 = sha256(image.bytes);
      image.id = shard::image_id(image.key, image.sha256);
      world.samples.push_back(sample);
      world.images.push_back(image);
    }
  }
  return world;
}

void publish(const run::Campaign& campaign, const run::StageRef& ref, shard::FileEntry file) {
  shard::Manifest manifest;
  manifest.campaign = campaign.id().hex();
  manifest.stage = name(ref.stage);
  manifest.round = ref.round;
  manifest.files = {std::move(file)};
  for (const auto& input : run::inputs_of(ref, campaign.config(ref.round).train.staleness)) {
    const auto read = campaign.manifest(input);
    manifest.inputs.push_back({std::string(name(input.stage)), input.round, read->content});
  }
  manifest.content = shard::content_of(manifest.files);
  manifest.science = run::science_digest(campaign.config(ref.round));
  manifest.config_toml = run::to_toml(campaign.config(ref.round));
  shard::publish_manifest(campaign.directory(ref), manifest);
}

}  // namespace

void make_judged_campaign(const std::filesystem::path& root,
                          const std::vector<std::string>& settings) {
  auto config = run::parse_config(kConfig, "judged campaign");
  run::apply_settings(config, settings);
  run::fix_encoders(config);
  World world = make_world(config.network.multi_aspect);
  const run::NewCampaign made(root, config);
  made.finish(
      {shard::write_table<shard::Sample>(made.prompts() / "set.h5", made.header(), world.samples)},
      {}, 0.1);
  const run::Campaign campaign(root);
  const auto header = [&](const run::StageRef& ref) {
    return shard::FileHeader{campaign.id().hex(), ref.round, std::string(name(ref.stage)), ""};
  };
  const run::StageRef harvest{run::Stage::harvest, 0};
  fs::make_directory(campaign.directory(harvest));
  const auto images = shard::write_table<shard::Image>(
      campaign.directory(harvest) / "images-00000.h5", header(harvest), world.images);
  publish(campaign, harvest, images);
  for (std::size_t i = 0; i < world.samples.size(); ++i) {
    auto& sample = world.samples[i];
    sample.status = shard::Status::member;
    sample.target_teacher = {"alpha"};
    sample.target_image = world.images[i].id;
    sample.target_shard = images.sha256;
    sample.target_row = static_cast<std::int32_t>(i);
  }
  const run::StageRef judge{run::Stage::judge, 0};
  fs::make_directory(campaign.directory(judge));
  publish(campaign, judge,
          shard::write_table<shard::Sample>(campaign.directory(judge) / "set.h5", header(judge),
                                            world.samples));
}

std::vector<std::pair<std::string, std::string>> weights_of(const std::filesystem::path& root,
                                                            int round) {
  const run::Campaign campaign(root);
  std::vector<std::pair<std::string, std::string>> files;
  const auto manifest = campaign.manifest({run::Stage::train, round});
  if (!manifest) return files;
  for (const auto& file : manifest->files) files.emplace_back(file.name, file.content.hex());
  return files;
}

std::vector<shard::Step> steps_of(const std::filesystem::path& root, int round) {
  const run::Campaign campaign(root);
  return shard::read_table<shard::Step>(campaign.directory({run::Stage::train, round}) /
                                        "steps.h5");
}

}  // namespace evd::test
