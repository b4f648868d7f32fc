#pragma once

#include <cstdint>
#include <string_view>

#include "nn/weight_set.hpp"

namespace evd::nn {

/// Whose tensor names a PixArt transformer's weights bear: the authors' (blocks.0.attn.qkv.weight),
/// which our checkpoints have too, or those of diffusers (transformer_blocks.0.attn1.to_q.weight),
/// where queries, keys and values are tensors of their own.
enum class PixartNames : std::uint8_t { original, diffusers };

/// DataError when the names are neither's.
[[nodiscard]] PixartNames pixart_names(const WeightSet& set);

/// The set under the authors' names: what diffusers splits is joined (copied), the rest is shared.
/// A set that has these names comes back as it is. DataError names a tensor that is unknown, or a
/// part that is missing or unlike its siblings.
[[nodiscard]] WeightSet with_original_names(const WeightSet& set);

/// The set under diffusers' names, nothing copied. What diffusers has no place for is left out:
/// `pos_embed`, which it computes, and `y_embedder.y_embedding`, the text of a dropped caption.
/// The mapping is that of diffusers' scripts/convert_pixart_alpha_to_diffusers.py.
[[nodiscard]] WeightSet with_diffusers_names(const WeightSet& set);

inline constexpr std::string_view kPositionsName = "pos_embed";
inline constexpr std::string_view kNullTextName = "y_embedder.y_embedding";

}  // namespace evd::nn
