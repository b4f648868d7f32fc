#include "evaluate/weights.hpp"

#include "core/error.hpp"
#include "fs/file.hpp"

namespace evd::evaluate {
namespace {

std::filesystem::path start_file(const run::Campaign& campaign, const run::Config& config) {
  const std::filesystem::path file = campaign.root() / config.base.file;  // absolute stays absolute
  if (config.base.sha256 != fs::sha256_file(file).hex())
    throw DataError(file.string() + ": not the start weights of this campaign (base.sha256 is " +
                    config.base.sha256 + ")");
  return file;
}

}  // namespace

nn::Generator load_generator(const run::Campaign& campaign, const run::Config& config, int round) {
  if (round == run::kStartRound && config.base.init == run::BaseInit::random)
    return {config.campaign.seed, config.network, config.diffusion};
  if (round == run::kStartRound)
    return {start_file(campaign, config), config.network, config.diffusion};
  const auto file = campaign.directory({run::Stage::train, round}) / "model.safetensors";
  if (!std::filesystem::exists(file))
    throw DataError(file.string() + ": not there (train " + std::to_string(round) +
                    " has not finished: evd-train " + campaign.root().string() + " --round " +
                    std::to_string(round) + ")");
  return {file, config.network, config.diffusion};
}

}  // namespace evd::evaluate
