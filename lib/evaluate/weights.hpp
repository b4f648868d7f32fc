#pragma once

#include "nn/generator.hpp"
#include "run/campaign.hpp"
#include "run/config.hpp"

namespace evd::evaluate {

/// The generator with C_round, or with C_start for kStartRound (base.init: drawn from the campaign
/// seed, or a file whose digest is checked). DataError, with what to type, when the weights are not
/// there or not the bytes that were published.
[[nodiscard]] nn::Generator load_generator(const run::Campaign& campaign, const run::Config& config,
                                           int round);

}  // namespace evd::evaluate
