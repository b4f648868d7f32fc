#pragma once

#include "nn/weight_set.hpp"

namespace evd::nn {

/// The same weights under the names that diffusers gives them today. Read are: diffusers' own, the
/// older ones of its attention (query, key, value, proj_attn), and those of the latent-diffusion
/// code (encoder.down.0.block.0, ..., also below first_stage_model. of a whole checkpoint; its
/// `loss.` tensors, which only training used, are left out). DataError when two tensors would get
/// one name.
[[nodiscard]] WeightSet with_diffusers_vae_names(const WeightSet& set);

}  // namespace evd::nn
