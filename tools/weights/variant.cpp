#include "weights/variant.hpp"

#include <array>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/pixart_names.hpp"
#include "run/config.hpp"

namespace evd::weights {
namespace {

using Json = nlohmann::json;
using Settings = std::map<std::string, std::string>;

std::vector<std::int64_t> shape(const nn::WeightSet& set, const std::string& name,
                                std::size_t dimensions) {
  const auto found = set.tensors().find(name);
  if (found == set.tensors().end() || found->second.shape.size() != dimensions) {
    throw DataError(set.where() + ": no weights of a PixArt transformer (" + name +
                    (found == set.tensors().end() ? " is missing)" : " has another shape)"));
  }
  for (const auto side : found->second.shape) {
    if (side < 1) throw DataError(set.where() + ": tensor " + name + " is empty");
  }
  return found->second.shape;
}

// What shapes tell.
Settings told_by_tensors(const nn::WeightSet& set) {
  const auto patch = shape(set, "x_embedder.proj.weight", 4);
  const auto head = shape(set, "final_layer.linear.weight", 2);
  const std::int64_t width = patch[0];
  int depth = 0;
  while (set.tensors().contains("blocks." + std::to_string(depth) + ".scale_shift_table")) ++depth;
  Settings settings;
  settings["network.width"] = std::to_string(width);
  settings["network.channels"] = std::to_string(patch[1]);
  settings["network.patch"] = std::to_string(patch[2]);
  settings["network.depth"] = std::to_string(depth);
  settings["network.mlp_ratio"] = format(
      "%.17g", static_cast<double>(shape(set, "blocks.0.mlp.fc1.weight", 2)[0]) / double(width));
  settings["network.caption_width"] =
      std::to_string(shape(set, "y_embedder.y_proj.fc1.weight", 2)[1]);
  settings["network.multi_aspect"] =
      set.tensors().contains("csize_embedder.mlp.0.weight") ? "true" : "false";
  settings["diffusion.learned_variance"] =
      head[0] == 2 * patch[1] * patch[2] * patch[2] ? "true" : "false";
  // PixArt's own sizes where nothing else is told.
  settings["network.max_tokens"] = "120";
  if (set.tensors().contains(nn::kNullTextName)) {
    const auto text = shape(set, std::string(nn::kNullTextName), 2);
    settings["network.max_tokens"] = std::to_string(text[0]);
  }
  if (width == 1152) settings["network.head_dim"] = "72";
  if (set.tensors().contains(nn::kPositionsName)) {
    const auto tokens = shape(set, std::string(nn::kPositionsName), 3)[1];
    const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(double(tokens))));
    settings["network.input_size"] = std::to_string(side * patch[2]);
  }
  return settings;
}

void add_config(const std::string& text, const std::string& where, Settings& settings) {
  if (text.empty()) return;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("_class_name") ||
      json["_class_name"] != "PixArtTransformer2DModel") {
    throw DataError(where + ": the config.json beside it is none of a PixArtTransformer2DModel");
  }
  const auto take = [&](const char* key, const char* setting) {
    if (json.contains(key) && !json[key].is_null()) settings[setting] = json[key].dump();
  };
  take("num_layers", "network.depth");
  take("patch_size", "network.patch");
  take("in_channels", "network.channels");
  take("caption_channels", "network.caption_width");
  take("use_additional_conditions", "network.multi_aspect");
  take("attention_head_dim", "network.head_dim");
  take("sample_size", "network.input_size");
  take("interpolation_scale", "network.interpolation");
}

void add_variant(const std::string& variant, Settings& settings) {
  if (variant.empty()) return;
  settings["network.qk_norm"] = variant == "edgen" ? "self_cross" : "none";
  settings["diffusion.prediction"] = "noise";
}

}  // namespace

nn::Layout layout_of(const nn::WeightSet& set, const std::string& config_json,
                     const VariantOptions& options) {
  Settings settings = told_by_tensors(set);
  add_config(config_json, set.where(), settings);
  for (const auto& [key, value] : set.metadata()) {
    if (key.starts_with("network.") || key.starts_with("diffusion.")) settings[key] = value;
  }
  add_variant(options.variant, settings);
  // A slip of the pen would make another network of the same tensors.
  const auto told = set.metadata().find("network.qk_norm");
  if (!options.variant.empty() && told != set.metadata().end() &&
      told->second != settings["network.qk_norm"]) {
    throw UsageError("--variant " + options.variant + ": " + set.where() +
                     " says network.qk_norm = " + printable(told->second) +
                     " (leave --variant out, or insist with --set network.qk_norm=" +
                     settings["network.qk_norm"] + ")");
  }
  for (const auto& setting : options.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos ||
        !(setting.starts_with("network.") || setting.starts_with("diffusion."))) {
      throw UsageError("--set " + setting + ": network.key=value or diffusion.key=value is taken");
    }
    settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  const std::string why = " (tensors do not show it, so it is not guessed; add ";
  for (const char* key : {"network.qk_norm", "diffusion.prediction"}) {
    if (settings.contains(key)) continue;
    throw DataError(set.where() + ": it does not tell " + key + why +
                    "--variant pixart or --variant edgen to evd-weights convert)");
  }
  for (const char* key : {"network.head_dim", "network.input_size"}) {
    if (settings.contains(key)) continue;
    throw DataError(set.where() + ": it does not tell " + key + why + "--set " + key +
                    "=NUMBER to evd-weights convert)");
  }
  if (!settings.contains("network.interpolation")) {
    // PixArt's and diffusers' rule: 512 px and less 1, 1024 px 2.
    settings["network.interpolation"] =
        std::to_string(std::max(1, std::atoi(settings["network.input_size"].c_str()) / 64));
  }
  std::vector<std::string> list;
  for (const auto& [key, value] : settings) list.push_back(key + "=" + value);
  run::Config config;
  try {
    run::apply_settings(config, list);
    return {config.network, config.diffusion};
  } catch (const ConfigurationError& error) {
    if (!options.settings.empty()) throw;
    // Nobody configured this: the file says so.
    throw DataError(set.where() + ": it tells of a network that is none (" + error.what() + ")");
  }
}

void check(const nn::WeightSet& set, const nn::Layout& layout) {
  std::vector<nn::WantedTensor> wanted;
  for (const auto& parameter : layout.parameters()) {
    wanted.push_back({parameter.name, parameter.shape});
  }
  if (set.tensors().contains(nn::kNullTextName)) {
    wanted.push_back({std::string(nn::kNullTextName),
                      {layout.network().max_tokens, layout.network().caption_width}});
  }
  nn::check_tensors(set, wanted, std::array{nn::kPositionsName});
}

}  // namespace evd::weights
