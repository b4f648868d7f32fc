#include "evaluate/weights.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "nn/t5_texts.hpp"
#include "run/base_file.hpp"
#include "run/encoder_files.hpp"

namespace evd::evaluate {
namespace {

// Bytes that changed on disk still make a picture, only a wrong one: they are compared with what
// train published.
std::filesystem::path round_file(const run::Campaign& campaign, int round) {
  const run::StageRef train{run::Stage::train, round};
  const auto file = campaign.directory(train) / "model.safetensors";
  const std::string command =
      "evd-train " + shell_word(campaign.root().string()) + " " + run::arguments_of(train);
  const auto manifest = campaign.manifest(train);
  if (!manifest)
    throw DataError(file.string() + ": not there (" + run::to_string(train) +
                    " has not finished: " + command + ")");
  const auto entry = std::find_if(manifest->files.begin(), manifest->files.end(),
                                  [&](const auto& e) { return e.name == file.filename(); });
  if (entry == manifest->files.end() || !std::filesystem::exists(file) ||
      fs::sha256_file(file) != entry->sha256)
    throw DataError(file.string() + ": damaged (not the bytes that " + run::to_string(train) +
                    " published); restore the file, or train again: " + command + " --rerun");
  return file;
}

nn::Encoders load_encoders(const run::Campaign& campaign, const run::Config& config,
                           EncoderCheck check, const nn::Engine& engine) {
  nn::Encoders encoders;
  encoders.null_text = config.text.null_text;
  if (config.has_t5()) {
    if (check == EncoderCheck::digest) run::check_text_files(campaign, config);
    const auto [folder, tokenizer] = run::text_paths(campaign, config);
    encoders.texts =
        std::make_shared<const nn::T5Texts>(folder, tokenizer, config.network.max_tokens,
                                            config.text.compute, config.text.prompts, engine);
  }
  if (config.has_vae()) {
    if (check == EncoderCheck::digest) run::check_vae_files(campaign, config);
    encoders.latents =
        std::make_shared<const nn::LatentCodec>(run::vae_path(campaign, config), config.vae.scale,
                                                config.vae.stride, config.vae.tile, engine);
  }
  return encoders;
}

}  // namespace

nn::Generator load_generator(const run::Campaign& campaign, const run::Config& config, int round,
                             EncoderCheck check, const nn::Engine& engine) {
  auto encoders = load_encoders(campaign, config, check, engine);
  const auto& network = config.network;
  if (round == run::kStartRound && config.base.init == run::BaseInit::random)
    return {config.campaign.seed, network, config.diffusion, std::move(encoders), engine};
  const auto file =
      round == run::kStartRound ? run::base_file(campaign, config) : round_file(campaign, round);
  return {file, network, config.diffusion, std::move(encoders), engine};
}

}  // namespace evd::evaluate
