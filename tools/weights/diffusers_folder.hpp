#pragma once

#include <filesystem>

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

/// The weights of such a folder, or of any other form, under the authors' names; null text included
/// where it stands beside them.
[[nodiscard]] nn::WeightSet read_pixart(const std::filesystem::path& path,
                                        const std::string& section);
/// The text of config.json beside the weights; empty when there is none.
[[nodiscard]] std::string config_beside(const std::filesystem::path& path);

}  // namespace evd::weights
