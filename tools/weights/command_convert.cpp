#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "core/enum.hpp"
#include "core/error.hpp"
#include "nn/model_file.hpp"
#include "nn/pixart_names.hpp"
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
};

/// Tells the variant, so that nobody has to be asked again. What the file said of other things
/// stays.
nn::WeightSet::Metadata metadata_of(const nn::WeightSet& set, const nn::Layout& layout) {
  nn::WeightSet::Metadata metadata = set.metadata();
  auto told = nn::metadata_of(layout);
  // Which encoder wrote the texts is not known of a foreign file.
  if (!metadata.contains("text_encoder")) told["text_encoder"] = "t5-v1.1";
  told.insert(metadata.begin(), metadata.end());
  return told;
}

void write_original(const ConvertOptions& options, const nn::WeightSet& set) {
  if (std::filesystem::exists(options.to)) {
    throw UsageError(options.to.string() + ": it is there (name a new file)");
  }
  std::vector<nn::NamedTensor> tensors;
  for (const auto& [name, tensor] : set.tensors()) {
    if (name == nn::kPositionsName) continue;  // computed
    tensors.emplace_back(name, tensor.shape, tensor.type, tensor.elements);
  }
  const auto written = nn::write_safetensors(options.to, std::move(tensors), set.metadata());
  std::cout << options.to.string() << "  " << written.bytes << " bytes, sha256 "
            << written.sha256.hex() << "\n";
}

void run_convert(const ConvertOptions& options) {
  const auto source = read_pixart(options.from, options.section);
  const auto layout = layout_of(source, config_beside(options.from), options.variant);
  nn::check_tensors(source, wanted_tensors(layout),
                    std::vector<std::string_view>{nn::kPositionsName, nn::kNullTextName});
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
  return {verb, [options] { run_convert(*options); }};
}

}  // namespace evd::weights
