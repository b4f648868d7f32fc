#include "weights/diffusers_folder.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "fs/temporary_name.hpp"
#include "nn/config_beside.hpp"
#include "nn/pixart_names.hpp"
#include "nn/safetensors.hpp"

namespace evd::weights {
namespace {

constexpr const char* kModelFile = "diffusion_pytorch_model.safetensors";
constexpr const char* kNullTextFile = "null_text.safetensors";

std::string config_of(const nn::Layout& layout) {
  const auto& n = layout.network();
  nlohmann::ordered_json json;
  json["_class_name"] = "PixArtTransformer2DModel";
  json["activation_fn"] = "gelu-approximate";
  json["attention_bias"] = true;
  json["attention_head_dim"] = n.head_dim;
  json["caption_channels"] = n.caption_width;
  json["cross_attention_dim"] = n.width;
  json["in_channels"] = n.channels;
  // A whole number where it is one: so the key is declared.
  if (n.interpolation == std::floor(n.interpolation)) {
    json["interpolation_scale"] = static_cast<int>(n.interpolation);
  } else {
    json["interpolation_scale"] = n.interpolation;
  }
  json["norm_elementwise_affine"] = false;
  json["norm_eps"] = 1e-6;
  json["norm_type"] = "ada_norm_single";
  json["num_attention_heads"] = n.width / n.head_dim;
  json["num_embeds_ada_norm"] = 1000;
  json["num_layers"] = n.depth;
  json["out_channels"] = layout.out_channels();
  json["patch_size"] = n.patch;
  json["sample_size"] = n.input_size;
  json["use_additional_conditions"] = n.multi_aspect;
  return json.dump(2) + "\n";
}

std::string loader_of(nn::QkNorm norm) {
  const bool both = norm == nn::QkNorm::self_cross;
  return std::string(
             R"("""This network has a layer norm of queries and keys, without parameters, that diffusers' PixArt
drops without a word: loaded by from_pretrained alone it draws something else.

    from load_edgen import load_edgen
    transformer = load_edgen("FOLDER", torch_dtype=torch.bfloat16)
"""

import torch
from diffusers import PixArtTransformer2DModel


def load_edgen(folder, **arguments):
    model = PixArtTransformer2DModel.from_pretrained(folder, **arguments)
    size = model.config.attention_head_dim
    for block in model.transformer_blocks:
        for attention in )") +
         (both ? "(block.attn1, block.attn2)" : "(block.attn2,)") + R"(:
            attention.norm_q = torch.nn.LayerNorm(size, eps=1e-6, elementwise_affine=False)
            attention.norm_k = torch.nn.LayerNorm(size, eps=1e-6, elementwise_affine=False)
    return model
)";
}

std::vector<nn::NamedTensor> named(const nn::WeightSet::Tensors& tensors) {
  std::vector<nn::NamedTensor> list;
  for (const auto& [name, tensor] : tensors) {
    list.emplace_back(name, tensor.shape, tensor.type, tensor.elements);
  }
  return list;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) ? path : path.parent_path();
}

void write_files(const std::filesystem::path& folder, const nn::WeightSet& set,
                 const nn::Layout& layout) {
  if (const auto text = set.tensors().find(nn::kNullTextName); text != set.tensors().end()) {
    nn::write_safetensors(folder / kNullTextFile, named({*text}), {});
  }
  nn::write_safetensors(folder / kModelFile, named(nn::with_diffusers_names(set).tensors()),
                        set.metadata());
  if (layout.network().qk_norm != nn::QkNorm::none) {
    fs::publish(folder / "load_edgen.py", loader_of(layout.network().qk_norm));
  }
  fs::publish(folder / "config.json", config_of(layout));
}

}  // namespace

void write_diffusers_folder(const std::filesystem::path& folder, const nn::WeightSet& set,
                            const nn::Layout& layout) {
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_empty(folder, error)) {
    throw UsageError(folder.string() + ": it is there and not empty (name a new folder)");
  }
  // Beside its place until it is whole: a disk that fills leaves nothing in the way.
  const auto place = folder.has_filename() ? folder : folder.parent_path();
  fs::remove_leftovers(std::filesystem::absolute(place).parent_path());
  const auto part = fs::temporary_name(place);
  try {
    std::filesystem::create_directories(part);
    write_files(part, set, layout);
    std::filesystem::rename(part, place);
  } catch (...) {
    std::filesystem::remove_all(part, error);
    throw;
  }
}

Pixart read_pixart(const std::filesystem::path& path, const std::string& section) {
  const auto raw = nn::WeightSet::open(path, section);
  Pixart read{nn::with_original_names(raw), {}};
  // What lies beside a file of another layout belongs to something else.
  if (nn::pixart_names(raw) != nn::PixartNames::diffusers) return read;
  if (const auto config = nn::config_beside(path); std::filesystem::exists(config)) {
    read.config_json = fs::read_text(config);
  }
  const auto beside = folder_of(path) / kNullTextFile;
  if (!std::filesystem::exists(beside)) return read;
  const auto text = nn::WeightSet::open(beside);
  auto tensors = read.weights.tensors();
  const auto found = text.tensors().find(nn::kNullTextName);
  if (found == text.tensors().end()) {
    throw DataError(beside.string() + ": missing tensor " + std::string(nn::kNullTextName));
  }
  tensors.insert(*found);
  read.weights = read.weights.with(std::move(tensors), std::make_shared<const nn::WeightSet>(text));
  return read;
}

}  // namespace evd::weights
