#include "train/inputs.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "run/base_file.hpp"
#include "train/checkpoint.hpp"

namespace evd::train {
namespace {

constexpr std::uint64_t kKeyVersion = 2;

run::StageRef input_of(const run::Context& context, run::Stage stage) {
  for (const auto& ref : run::inputs_of(context.self, context.config.train.staleness)) {
    if (ref.stage == stage) return ref;
  }
  throw InternalError(run::to_string(context.self) + " has no input " + std::string(name(stage)));
}

/// The file of a result whose name ends so.
shard::FileEntry published(const run::Campaign& campaign, const run::StageRef& ref,
                           const std::string& ending) {
  const auto manifest = campaign.manifest(ref);
  if (!manifest) {
    throw DataError(campaign.directory(ref).string() + ": no manifest (" + run::to_string(ref) +
                    " has not finished)");
  }
  const auto found = std::find_if(manifest->files.begin(), manifest->files.end(),
                                  [&](const auto& entry) { return entry.name.ends_with(ending); });
  if (found == manifest->files.end()) {
    throw DataError(campaign.directory(ref).string() + ": its manifest lists no " + ending);
  }
  return *found;
}

bool matters(const run::Setting& setting) {
  if (setting.scope == Scope::operation) return false;
  return setting.path.starts_with("train.") || setting.path.starts_with("network.") ||
         setting.path.starts_with("diffusion.") || setting.path.starts_with("base.") ||
         setting.path.starts_with("text.") || setting.path.starts_with("vae.") ||
         setting.path == "campaign.seed";
}

Sha256 key_of(const run::Context& context, const Inputs& inputs) {
  Sha256Stream stream;
  // Not the campaign id: equal campaigns give equal bytes.
  stream.field(kKeyVersion);
  stream.field(static_cast<std::uint64_t>(context.self.round));
  stream.field(inputs.set_content.hex()).field(inputs.checkpoint_content.hex());
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
    const auto index =
        published(context.campaign, before, std::string("/") + CheckpointIndex::kName);
    inputs.checkpoint = (context.campaign.directory(before) / index.name).parent_path();
    inputs.checkpoint_content = index.content;
  }
  inputs.key = key_of(context, inputs);
  return inputs;
}

void start(State& state, const run::Context& context, const Inputs& inputs) {
  if (inputs.checkpoint.empty()) {
    start_fresh(state, [&] { return base_weights(context, state.sharding().layout()); });
    return;
  }
  restore_checkpoint(state, inputs.checkpoint, inputs.checkpoint_content);
  state.counters.round_step = 0;
}

}  // namespace evd::train
