#include "train/validation_setup.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/held_out.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "nn/latent_codec.hpp"
#include "run/encoder_files.hpp"
#include "shard/table.hpp"

namespace evd::train {
namespace {

std::filesystem::path sheets_folder(const std::filesystem::path& campaign) {
  return campaign / "logs" / "validation";
}

// For looking at: a disk that refuses it costs no training.
void write_prompts(const run::Context& context, const std::vector<std::string>& prompts) {
  try {
    const auto folder = sheets_folder(context.campaign.root());
    fs::make_directory(folder);
    fs::publish(folder / "prompts.txt", join(prompts, "\n") + "\n");
  } catch (const IoError& error) {
    context.log.warning(std::string(error.what()) + "; contact sheets have no list of prompts");
  }
}

ValidationPictures::Setup pictures_of(const run::Context& context, const ValidationPrompts& prompts,
                                      const nn::Engine& engine) {
  const auto& config = context.config;
  ValidationPictures::Setup setup{.network = config.network,
                                  .diffusion = config.diffusion,
                                  .sampler = config.evaluate.sampling,
                                  .seed = config.campaign.seed,
                                  .null_text = config.text.null_text,
                                  .side_px = config.side_px()};
  for (std::size_t i = 0; i < prompts.texts.size(); ++i) {
    setup.requests.push_back({.prompt = prompts.texts[i], .noise_id = prompts.noise_ids[i]});
  }
  if (config.has_vae()) {
    setup.open_codec = [vae = config.vae, path = run::vae_path(context.campaign, config), engine] {
      return std::make_shared<const nn::LatentCodec>(path, vae.scale, vae.stride, vae.tile, engine);
    };
  }
  return setup;
}

}  // namespace

ValidationPrompts validation_prompts(const run::Context& context) {
  const auto& train = context.config.train;
  if (train.validate_every == 0 || train.validation_pictures == 0) return {};
  static constexpr std::array<std::string_view, 3> kColumns = {"id", "split", "prompt"};
  auto rows =
      shard::Table<shard::Sample>(context.campaign.set_file({run::Stage::init, 0})).read(kColumns);
  const auto is_trained = [](const shard::Sample& row) {
    return row.split != shard::Split::heldout;
  };
  if (!std::all_of(rows.begin(), rows.end(), is_trained)) std::erase_if(rows, is_trained);
  std::ranges::sort(rows, {}, &shard::Sample::id);
  rows.resize(std::min(rows.size(), static_cast<std::size_t>(train.validation_pictures)));
  ValidationPrompts prompts;
  for (auto& row : rows) {
    prompts.texts.push_back(std::move(row.prompt));
    prompts.noise_ids.push_back(data::heldout_noise(row.id));
  }
  return prompts;
}

std::unique_ptr<Validation> make_validation(const run::Context& context,
                                            std::span<const data::Member> members,
                                            const ValidationPrompts& prompts,
                                            std::shared_ptr<const nn::Texts> texts, int threads,
                                            const nn::Engine& engine) {
  const auto& config = context.config;
  const auto& train = config.train;
  if (train.validate_every == 0) return nullptr;
  const bool is_root = context.world.rank() == 0;
  auto held_out = data::held_out(members, train.held_out_share, config.campaign.seed);
  held_out.resize(std::min(held_out.size(), static_cast<std::size_t>(train.validation_samples)));
  if (held_out.empty() && is_root) {
    context.log.info("validations have no loss: no sample is held out (train.held_out_share)");
  }
  if (prompts.texts.empty()) {
    return held_out.empty() ? nullptr : std::make_unique<Validation>(std::move(held_out), nullptr);
  }
  if (is_root) {
    if (config.has_vae()) run::check_vae_files(context.campaign, config);
    write_prompts(context, prompts.texts);
  }
  auto setup = pictures_of(context, prompts, engine);
  setup.texts = std::move(texts);
  setup.threads = threads;
  return std::make_unique<Validation>(
      std::move(held_out), std::make_unique<ValidationPictures>(std::move(setup), context.world));
}

std::filesystem::path sheet_file(const std::filesystem::path& campaign, std::int64_t steps) {
  return sheets_folder(campaign) / format("step-%09lld.png", static_cast<long long>(steps));
}

void remove_sheets_after(const std::filesystem::path& campaign, std::int64_t steps) {
  std::error_code none;
  std::vector<std::filesystem::path> later;
  const auto last = sheet_file(campaign, steps);
  for (const auto& entry : std::filesystem::directory_iterator(last.parent_path(), none)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("step-") && name > last.filename().string()) later.push_back(entry.path());
  }
  for (const auto& sheet : later) std::filesystem::remove(sheet, none);
}

}  // namespace evd::train
