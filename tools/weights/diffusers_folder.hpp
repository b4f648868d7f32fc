#pragma once

#include <filesystem>
#include <string>

#include "nn/layout.hpp"
#include "nn/weight_set.hpp"

namespace evd::weights {

/// Writes what `PixArtTransformer2DModel.from_pretrained(folder)` loads: config.json and
/// diffusion_pytorch_model.safetensors. What diffusers has no place for stands beside them:
/// null_text.safetensors, the text of a dropped caption, and for a network with layer norm of
/// queries and keys load_edgen.py, since diffusers drops that key without a word. `set` has the
/// authors' names. UsageError when the folder is there and not empty.
void write_diffusers_folder(const std::filesystem::path& folder, const nn::WeightSet& set,
                            const nn::Layout& layout);

/// Weights under the authors' names, and the text of diffusers' config.json where one tells of
/// them.
struct Pixart {
  nn::WeightSet weights;
  std::string config_json;
};

/// Reads such a folder, its null text included, or any other form that nn::WeightSet opens.
[[nodiscard]] Pixart read_pixart(const std::filesystem::path& path, const std::string& section);

}  // namespace evd::weights
