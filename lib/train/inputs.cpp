#include "train/inputs.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "run/base_file.hpp"

namespace evd::train {
namespace {

constexpr std::uint64_t kKeyVersion = 1;

run::StageRef input_of(const run::Context& context, run::Stage stage) {
  for (const auto& ref : run::inputs_of(context.self, context.config.train.staleness)) {
    if (ref.stage == stage) return ref;
  }
  throw InternalError(run::to_string(context.self) + " has no input " + std::string(name(stage)));
}

shard::FileEntry published(const run::Campaign& campaign, const run::StageRef& ref,
                           const std::string& file) {
  const auto manifest = campaign.manifest(ref);
  if (!manifest) {
    throw DataError(campaign.directory(ref).string() + ": no manifest (" + run::to_string(ref) +
                    " has not finished)");
  }
  const auto found = std::find_if(manifest->files.begin(), manifest->files.end(),
                                  [&](const auto& entry) { return entry.name == file; });
  if (found == manifest->files.end()) {
    throw DataError(campaign.directory(ref).string() + ": its manifest lists no " + file);
  }
  return *found;
}

bool matters(const run::Setting& setting) {
  if (setting.scope == Scope::operation) return false;
  return setting.path.starts_with("train.") || setting.path.starts_with("network.") ||
         setting.path.starts_with("diffusion.") || setting.path.starts_with("base.") ||
         setting.path == "campaign.seed";
}

Sha256 key_of(const run::Context& context, const Inputs& inputs) {
  Sha256Stream stream;
  // Not the campaign id: equal campaigns give equal bytes.
  stream.field(kKeyVersion);
  stream.field(static_cast<std::uint64_t>(context.self.round));
  stream.field(inputs.set_content.hex()).field(inputs.state_sha256.hex());
  for (const auto& setting : run::settings_of(context.config)) {
    if (matters(setting)) stream.field(setting.path).field(setting.value);
  }
  return stream.finish();
}

nn::Weights base_weights(const run::Context& context, const nn::Layout& layout) {
  if (context.config.base.init == run::BaseInit::random) {
    return nn::start_weights(layout, context.config.campaign.seed);
  }
  return nn::read_model(run::base_file(context.campaign, context.config), layout);
}

}  // namespace

Inputs find_inputs(const run::Context& context) {
  Inputs inputs;
  const auto set = input_of(context, run::Stage::judge);
  inputs.set_file = context.campaign.set_file(set);
  inputs.set_content = published(context.campaign, set, inputs.set_file.filename()).content;
  if (context.self.round > 0) {
    const auto before = input_of(context, run::Stage::train);
    inputs.state_file = context.campaign.directory(before) / "state.safetensors";
    inputs.state_sha256 = published(context.campaign, before, "state.safetensors").sha256;
  }
  inputs.key = key_of(context, inputs);
  return inputs;
}

State start_state(const run::Context& context, const Inputs& inputs, const nn::Layout& layout) {
  if (inputs.state_file.empty()) return fresh_state(layout, base_weights(context, layout));
  auto stored = read_state(inputs.state_file, layout);
  if (stored.sha256 != inputs.state_sha256) {
    throw DataError(inputs.state_file.string() + ": damaged (its SHA-256 is not the manifest's)");
  }
  stored.state.round_step = 0;
  return std::move(stored.state);
}

}  // namespace evd::train
