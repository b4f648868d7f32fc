#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace evd::test {

/// Writes a T5 v1.1 of a few thousand random weights with its tokenizer, as transformers saves it:
/// states of 16 channels.
void write_tiny_t5(const std::filesystem::path& folder);
/// Writes an AutoencoderKL of a few thousand random weights, as diffusers saves it: 4 latent
/// channels of 8 px.
void write_tiny_vae(const std::filesystem::path& folder);

/// Settings of a campaign that trains a multi-aspect network of 256 px on their features.
[[nodiscard]] std::vector<std::string> multi_aspect_settings(const std::filesystem::path& t5,
                                                             const std::filesystem::path& vae);

}  // namespace evd::test
