#include "evaluate/weights.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "run/base_file.hpp"

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

}  // namespace

nn::Generator load_generator(const run::Campaign& campaign, const run::Config& config, int round) {
  if (round == run::kStartRound && config.base.init == run::BaseInit::random)
    return {config.campaign.seed, config.network, config.diffusion};
  if (round == run::kStartRound)
    return {run::base_file(campaign, config), config.network, config.diffusion};
  return {round_file(campaign, round), config.network, config.diffusion};
}

}  // namespace evd::evaluate
