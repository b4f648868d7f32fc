#include "evaluate/small_campaign.hpp"

#include <vector>

#include "core/clock.hpp"
#include "nn/layout.hpp"
#include "nn/model_file.hpp"
#include "run/campaign.hpp"
#include "run/create.hpp"
#include "shard/identity.hpp"
#include "shard/manifest.hpp"

namespace evd::evaluate::test {
namespace {

std::vector<shard::Sample> samples(int count, shard::Status status, const std::string& stem) {
  std::vector<shard::Sample> rows;
  for (int i = 0; i < count; ++i) {
    shard::Sample row;
    row.prompt = stem + std::to_string(i);
    row.id = shard::sample_id(row.prompt, 64, 64);
    row.status = status;
    row.category_text = i % 2 == 0;
    row.split = status == shard::Status::heldout ? shard::Split::heldout : shard::Split::train;
    rows.push_back(row);
  }
  return rows;
}

void publish(const std::filesystem::path& directory, const run::NewCampaign& campaign,
             run::Stage stage, std::vector<shard::FileEntry> files,
             std::vector<shard::InputEntry> inputs) {
  shard::Manifest manifest;
  manifest.campaign = campaign.id().hex();
  manifest.stage = name(stage);
  manifest.files = std::move(files);
  manifest.inputs = std::move(inputs);
  manifest.content = shard::content_of(manifest.files);
  shard::publish_manifest(directory, manifest);
}

}  // namespace

run::Config small_config() {
  run::Config config;
  config.campaign.seed = 11;
  config.network.width = 32;
  config.network.depth = 1;
  config.network.head_dim = 16;
  config.network.caption_width = 16;
  config.evaluate.share = 0.5;
  config.evaluate.sampling.steps = 2;
  config.evaluate.sampling.batch = 16;
  return config;
}

void make_campaign(const std::filesystem::path& root, int heldout, int members, int steps) {
  run::Config config = small_config();
  config.evaluate.sampling.steps = steps;
  const run::NewCampaign campaign(root, config);
  const auto kept_out = samples(heldout, shard::Status::heldout, "held out ");
  campaign.finish({shard::write_table<shard::Sample>(campaign.prompts() / "set.h5",
                                                     campaign.header(), kept_out)},
                  {}, 0);

  const auto round = root / "rounds" / "0000";
  std::filesystem::create_directories(round / "judge");
  std::filesystem::create_directories(round / "train");
  auto set = samples(members, shard::Status::member, "member ");
  for (const auto& row : kept_out) set.push_back(row);
  for (const auto& row : samples(5, shard::Status::waiting, "waiting ")) set.push_back(row);
  publish(round / "judge", campaign, run::Stage::judge,
          {shard::write_table<shard::Sample>(round / "judge" / "set.h5", campaign.header(), set)},
          {});
  const nn::Layout layout(config.network, config.diffusion);
  const auto written =
      nn::write_model(round / "train" / "model.safetensors", layout, nn::start_weights(layout, 99));
  publish(round / "train", campaign, run::Stage::train,
          {{.name = "model.safetensors", .bytes = written.bytes, .sha256 = written.sha256}},
          {{"judge", 0, {}}});
}

std::map<std::string, std::string> renders(const std::filesystem::path& directory) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!entry.path().filename().string().starts_with("renders-")) continue;
    const shard::Table<shard::Image> table(entry.path());
    const auto rows = table.read();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto bytes = table.blob(static_cast<std::int64_t>(i));
      found[rows[i].prompt_id.hex()] = std::string(
          static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size());
    }
  }
  return found;
}

}  // namespace evd::evaluate::test
