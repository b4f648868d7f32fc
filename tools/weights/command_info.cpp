#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "core/enum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/pixart_names.hpp"
#include "weights/commands.hpp"
#include "weights/diffusers_folder.hpp"
#include "weights/variant.hpp"

namespace evd::weights {
namespace {

struct InfoOptions {
  std::filesystem::path path;
  std::string section;
  bool tensors = false;
};

std::size_t count_of(const nn::WeightTensor& tensor) {
  return tensor.elements.size() / nn::bytes_of(tensor.type);
}

std::string kind_of(const nn::WeightSet& set) {
  const auto has = [&](std::string_view name) { return set.tensors().contains(name); };
  if (has("x_embedder.proj.weight")) return "PixArt transformer, the authors' names";
  if (has("pos_embed.proj.weight")) return "PixArt transformer, diffusers' names";
  if (has("encoder.final_layer_norm.weight")) return "T5 encoder, transformers' names";
  if (has("decoder.conv_in.weight")) return "VAE of Stable Diffusion";
  return "unknown";
}

void print_network(const InfoOptions& options) {
  try {
    const auto read = read_pixart(options.path, options.section);
    const auto layout = layout_of(read.weights, read.config_json, {});
    const auto& n = layout.network();
    std::cout << "network     width " << n.width << ", depth " << n.depth << ", heads of "
              << n.head_dim << ", patch " << n.patch << ", " << n.channels << " channels of "
              << n.input_size << " x " << n.input_size << ", captions of " << n.caption_width
              << (n.multi_aspect ? ", multi-aspect" : "") << "\n"
              << "variant     qk_norm " << name(n.qk_norm) << ", prediction "
              << name(layout.diffusion().prediction)
              << (layout.diffusion().learned_variance ? ", learned variance" : "") << "\n";
  } catch (const Error& error) {
    std::cout << "variant     not told: " << error.what() << "\n";
  }
}

void print_sections(const InfoOptions& options) {
  const auto sections = nn::WeightSet::sections(options.path);
  if (sections.empty()) return;
  std::vector<std::string> names;
  for (const auto& section : sections) names.push_back(section.empty() ? "(top)" : section);
  // The top one comes first where there is one, then state_dict: what is taken when none is named.
  const auto& shown = options.section.empty() ? names.front() : options.section;
  std::cout << "sections    " << join(names, ", ") << " (here: " << shown
            << "; another with --section)\n";
}

void run_info(const InfoOptions& options) {
  const auto set = nn::WeightSet::open(options.path, options.section);
  std::size_t elements = 0;
  std::size_t bytes = 0;
  std::map<std::string, std::size_t> types;
  for (const auto& [name, tensor] : set.tensors()) {
    elements += count_of(tensor);
    bytes += tensor.elements.size();
    ++types[std::string(name_of(tensor.type))];
  }
  std::vector<std::string> type_texts;
  for (const auto& [type, count] : types) {
    type_texts.push_back(std::to_string(count) + " of " + type);
  }
  std::cout << "path        " << set.where() << "\n";
  print_sections(options);
  std::cout << "holds       " << kind_of(set) << "\n"
            << "tensors     " << set.tensors().size() << " (" << join(type_texts, ", ") << ")\n"
            << "elements    " << elements << ", " << human_bytes(static_cast<double>(bytes))
            << "\n";
  if (kind_of(set).starts_with("PixArt")) print_network(options);
  for (const auto& [key, value] : set.metadata()) {
    std::cout << "metadata    " << printable(key) << " = " << printable(value) << "\n";
  }
  if (!options.tensors) return;
  for (const auto& [name, tensor] : set.tensors()) {
    std::cout << name_of(tensor.type) << "\t" << nn::shape_text(tensor.shape) << "\t" << name
              << "\n";
  }
}

}  // namespace

Command add_info(CLI::App& app) {
  const auto options = std::make_shared<InfoOptions>();
  auto* verb = app.add_subcommand("info", "What a file or folder of weights holds");
  verb->add_option("PATH", options->path,
                   ".safetensors, an index of shards, .pth, or the folder of one of them")
      ->required();
  verb->add_option("--section", options->section,
                   "state dict of a .pth: state_dict (default) or state_dict_ema");
  verb->add_flag("--tensors", options->tensors, "List every tensor: type, shape, name");
  return {verb, [options] { run_info(*options); }};
}

}  // namespace evd::weights
