#include "train/validation_setup.hpp"

#include <algorithm>
#include <array>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/held_out.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "nn/latent_codec.hpp"
#include "run/encoder_files.hpp"
#include "shard/table.hpp"

namespace evd::train {
namespace {

std::vector<std::pair<SampleId, std::string>> held_out_prompts(const run::Campaign& campaign) {
  static constexpr std::array<std::string_view, 3> kColumns = {"id", "split", "prompt"};
  std::vector<std::pair<SampleId, std::string>> prompts;
  for (auto& row :
       shard::Table<shard::Sample>(campaign.set_file({run::Stage::init, 0})).read(kColumns)) {
    if (row.split == shard::Split::heldout) prompts.emplace_back(row.id, std::move(row.prompt));
  }
  return prompts;
}

}  // namespace

std::vector<std::string> validation_prompts(const run::Context& context,
                                            std::span<const data::Member> members) {
  const auto& train = context.config.train;
  if (train.validate_every == 0 || train.validation_pictures == 0) return {};
  auto found = held_out_prompts(context.campaign);
  if (found.empty()) {
    for (const auto& member : members) found.emplace_back(member.id, member.prompt);
  }
  std::sort(found.begin(), found.end());
  found.resize(std::min(found.size(), static_cast<std::size_t>(train.validation_pictures)));
  std::vector<std::string> prompts;
  for (auto& [id, prompt] : found) prompts.push_back(std::move(prompt));
  return prompts;
}

std::unique_ptr<Validation> make_validation(const run::Context& context,
                                            std::span<const data::Member> members,
                                            const std::vector<std::string>& prompts,
                                            std::shared_ptr<const nn::Texts> texts) {
  const auto& config = context.config;
  const auto& train = config.train;
  if (train.validate_every == 0) return nullptr;
  auto held_out = data::held_out(members, train.held_out_share, config.campaign.seed);
  held_out.resize(std::min(held_out.size(), static_cast<std::size_t>(train.validation_samples)));
  if (held_out.empty() && context.world.rank() == 0) {
    context.log.info("validations have no loss: no sample is held out (train.held_out_share)");
  }
  if (prompts.empty()) return std::make_unique<Validation>(std::move(held_out), nullptr);

  ValidationPictures::Setup setup{.network = config.network,
                                  .diffusion = config.diffusion,
                                  .sampler = config.evaluate.sampling,
                                  .seed = config.campaign.seed,
                                  .texts = std::move(texts),
                                  .null_text = config.text.null_text,
                                  .side_px = config.side_px()};
  for (const auto& prompt : prompts) {
    setup.requests.push_back({.prompt = prompt, .noise_id = xxh3_64(as_bytes(prompt))});
  }
  if (config.has_vae()) {
    setup.open_codec = [&vae = config.vae, path = run::vae_path(context.campaign, config)] {
      return std::make_shared<const nn::LatentCodec>(path, vae.scale, vae.stride, vae.tile);
    };
  }
  if (context.world.rank() == 0) {
    const auto folder = sheets_folder(context.campaign.root());
    fs::make_directory(folder);
    fs::publish(folder / "prompts.txt", join(prompts, "\n") + "\n");
  }
  return std::make_unique<Validation>(
      std::move(held_out), std::make_unique<ValidationPictures>(std::move(setup), context.world));
}

std::filesystem::path sheets_folder(const std::filesystem::path& campaign) {
  return campaign / "logs" / "validation";
}

}  // namespace evd::train
