#pragma once

#include <cstdint>

#include "nn/generator.hpp"
#include "run/campaign.hpp"
#include "run/config.hpp"

namespace evd::evaluate {

/// Whether the encoders' digests are compared: it reads every byte, so one rank does it for all.
enum class EncoderCheck : std::uint8_t { digest, none };

/// The generator with C_round, or with C_start for kStartRound (base.init: drawn from the campaign
/// seed, or a file whose digest is checked). DataError, with what to type, when the weights are not
/// there or not the bytes that were published. With the campaign's T5 and VAE, where it has them.
/// It computes on `engine`.
[[nodiscard]] nn::Generator load_generator(const run::Campaign& campaign, const run::Config& config,
                                           int round, EncoderCheck check = EncoderCheck::digest,
                                           const nn::Engine& engine = {});

}  // namespace evd::evaluate
