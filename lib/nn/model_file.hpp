#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "nn/layout.hpp"
#include "nn/safetensors.hpp"

namespace evd::nn {

/// A network's numbers, without the network.
struct Weights {
  std::vector<float> flat;       ///< layout.size(), gaps zero
  std::vector<float> null_text;  ///< (max_tokens, caption_width)
};

/// The weights that (seed) draws: C_start of base.init = random.
[[nodiscard]] Weights start_weights(const Layout& layout, std::uint64_t seed);

/// SHA-256 over names and values in the layout's order: the same for equal weights, from a file or
/// drawn.
[[nodiscard]] Sha256 digest_of(const Layout& layout, const Weights& weights);

/// What a file's metadata must say: variant, prediction, every shape. The layer-norm variant has
/// the same tensors as the plain network, so names and shapes alone would load silently wrong.
[[nodiscard]] std::map<std::string, std::string, std::less<>> metadata_of(const Layout& layout);
/// DataError that names the first keys that are absent or differ.
void check_metadata(const Safetensors& file, const Layout& layout);

/// The tensors of one flat buffer, each called prefix + name.
[[nodiscard]] std::vector<NamedTensor> named_tensors(const Layout& layout,
                                                     std::span<const float> flat,
                                                     const std::string& prefix);
/// The flat buffer of the tensors called prefix + name; DataError that lists what is missing or has
/// another shape.
[[nodiscard]] std::vector<float> flat_tensors(const Safetensors& file, const Layout& layout,
                                              const std::string& prefix);
/// The frozen text states of a dropped caption; DataError when they are absent or misshapen.
[[nodiscard]] std::vector<float> null_text_of(const Safetensors& file, const Layout& layout);

/// model.safetensors: original PixArt names, metadata as above.
WrittenFile write_model(const std::filesystem::path& path, const Layout& layout,
                        const Weights& weights);
/// DataError naming missing, unexpected and misshapen tensors, or a variant that is another or is
/// not told.
[[nodiscard]] Weights read_model(const std::filesystem::path& path, const Layout& layout);

}  // namespace evd::nn
