#include <algorithm>
#include <deque>
#include <iostream>
#include <memory>
#include <span>

#include <CLI/CLI.hpp>

#include "core/enum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/publish.hpp"
#include "nn/model_file.hpp"
#include "nn/pixart_names.hpp"
#include "nn/positions.hpp"
#include "nn/safetensors.hpp"
#include "weights/commands.hpp"
#include "weights/diffusers_folder.hpp"
#include "weights/variant.hpp"

namespace evd::weights {
namespace {

struct ConvertOptions {
  std::filesystem::path from;
  std::filesystem::path to;
  std::string form;
  std::string section;
  VariantOptions variant;
  std::vector<std::string> fresh;
  std::uint64_t seed = 1;
};

bool is_named(const std::vector<std::string>& modules, std::string_view name) {
  return std::find(modules.begin(), modules.end(), name) != modules.end();
}

/// Modules that the weights do not have, drawn as the reference initialises them: what PixArtMS at
/// 1024 px has over PixArt at 512 px. Only those that `fresh` names, so that nothing is missed by
/// accident.
nn::WeightSet with_fresh(const nn::WeightSet& set, const nn::Layout& layout,
                         const ConvertOptions& options) {
  auto tensors = set.tensors();
  const auto values = std::make_shared<std::deque<std::vector<float>>>();
  std::vector<std::string> drawn;
  for (const auto& parameter : layout.parameters()) {
    const auto is_named = [&](const std::string& module) {
      return parameter.name.starts_with(module + ".");
    };
    if (tensors.contains(parameter.name) ||
        std::none_of(options.fresh.begin(), options.fresh.end(), is_named)) {
      continue;
    }
    const auto& start = values->emplace_back(nn::Layout::start_of(parameter, options.seed));
    tensors[parameter.name] = {nn::TensorType::F32, parameter.shape,
                               std::as_bytes(std::span(start))};
    drawn.push_back(parameter.name);
  }
  const auto other = std::find_if(options.fresh.begin(), options.fresh.end(),
                                  [](const auto& name) { return name != nn::kPositionsName; });
  if (drawn.empty() && other != options.fresh.end()) {
    throw UsageError("--fresh " + *other +
                     ": no tensor of that module is missing (leave it out, or --set "
                     "network.multi_aspect=true first)");
  }
  if (!drawn.empty()) std::cerr << "evd-weights: drawn anew: " << join(drawn, ", ") << "\n";
  return set.with(std::move(tensors), values);
}

/// Tells the variant, so that nobody has to be asked again. What the file said of other things
/// stays.
nn::WeightSet::Metadata metadata_of(const nn::WeightSet& set, const nn::Layout& layout) {
  nn::WeightSet::Metadata metadata = set.metadata();
  auto told = nn::metadata_of(layout);
  // A foreign file was trained on the texts of T5.
  told["text_encoder"] = "t5-v1.1";
  for (const auto& [key, value] : metadata) {
    if (key == "text_encoder" || !told.contains(key)) told[key] = value;
  }
  return told;
}

void write_original(const ConvertOptions& options, const nn::WeightSet& set) {
  if (std::filesystem::exists(options.to)) {
    throw UsageError(options.to.string() + ": it is there (name a new file)");
  }
  if (options.to.extension() != ".safetensors") {
    throw UsageError(options.to.string() +
                     ": a safetensors file is written (end its name with "
                     ".safetensors)");
  }
  const auto folder = std::filesystem::absolute(options.to).parent_path();
  if (!std::filesystem::is_directory(folder)) {
    throw UsageError(folder.string() + ": no such folder (make it first)");
  }
  fs::remove_leftovers(folder);
  std::vector<nn::NamedTensor> tensors;
  for (const auto& [name, tensor] : set.tensors()) {
    if (name == nn::kPositionsName) continue;  // computed, and compared before
    tensors.emplace_back(name, tensor.shape, tensor.type, tensor.elements);
  }
  const auto written = nn::write_safetensors(options.to, std::move(tensors), set.metadata());
  std::cout << options.to.string() << "  " << written.bytes << " bytes, sha256 "
            << written.sha256.hex() << "\n";
}

void run_convert(const ConvertOptions& options) {
  const auto read = read_pixart(options.from, options.section);
  const auto layout = layout_of(read.weights, read.config_json, options.variant);
  const auto source = with_fresh(read.weights, layout, options);
  check(source, layout);
  if (!is_named(options.fresh, nn::kPositionsName)) nn::check_positions(source, layout);
  const auto set = source.with(metadata_of(source, layout));
  if (options.form == "original") {
    write_original(options, set);
    return;
  }
  write_diffusers_folder(options.to, set, layout);
  std::cout << options.to.string() << "\n";
  if (layout.network().qk_norm != nn::QkNorm::none) {
    std::cerr << "evd-weights: diffusers' PixArt has no qk_norm (" << name(layout.network().qk_norm)
              << " here) and says nothing: load this folder with the load_edgen.py inside it\n";
  }
}

}  // namespace

Command add_convert(CLI::App& app) {
  const auto options = std::make_shared<ConvertOptions>();
  auto* verb = app.add_subcommand("convert", "Writes weights of PixArt or Edgen in another layout");
  verb->add_option("FROM", options->from,
                   ".safetensors, an index of shards, .pth, or the folder of one of them")
      ->required();
  verb->add_option("TO", options->to, "A new file (original) or folder (diffusers)")->required();
  verb->add_option("--to", options->form,
                   "original: one safetensors file with the authors' names; diffusers: a folder "
                   "for from_pretrained")
      ->required()
      ->check(CLI::IsMember({"original", "diffusers"}));
  verb->add_option("--section", options->section,
                   "state dict of a .pth: state_dict (default) or state_dict_ema");
  verb->add_option("--variant", options->variant.variant,
                   "What the tensors cannot tell: pixart (no norm) or edgen (layer norm of queries "
                   "and keys), both predicting noise")
      ->check(CLI::IsMember({"pixart", "edgen"}));
  verb->add_option("--set", options->variant.settings,
                   "network.key=value or diffusion.key=value, as in a campaign's configuration");
  verb->add_option(
      "--fresh", options->fresh,
      "A module that FROM lacks and that is drawn anew: csize_embedder and ar_embedder "
      "on the way from 512 to 1024 px; pos_embed = positions of another size are computed anew");
  verb->add_option("--seed", options->seed, "Of what is drawn anew")->capture_default_str();
  return {verb, [options] { run_convert(*options); }};
}

}  // namespace evd::weights
