#pragma once

#include <string>
#include <vector>

#include "nn/layout.hpp"
#include "nn/weight_set.hpp"

namespace evd::weights {

/// What is said of a network beside its tensors: --variant and --set.
struct VariantOptions {
  std::string variant;                ///< "", pixart or edgen
  std::vector<std::string> settings;  ///< network.key=value, diffusion.key=value
};

/// The network whose weights a set (under the authors' names) holds. Shapes come from its tensors;
/// what tensors cannot tell, from the file's metadata, a config.json of diffusers and `options`,
/// the later ones winning. DataError when the norm of queries and keys or the prediction is told by
/// none of them: a network without the norm has the same tensors, and would be silently wrong.
[[nodiscard]] nn::Layout layout_of(const nn::WeightSet& set, const std::string& config_json,
                                   const VariantOptions& options);

/// DataError unless a set under the authors' names has just the tensors of such a network; the text
/// of a dropped caption may be missing, its shape not be another.
void check(const nn::WeightSet& set, const nn::Layout& layout);

}  // namespace evd::weights
