#pragma once

#include <filesystem>

#include "run/campaign.hpp"

namespace evd::run {

/// Digest of an encoder as users have it on disk: names and SHA-256 of the weights, configurations
/// and tokenizers in `folder` (which may be one file, with config.json beside it), and of
/// `tokenizer` unless empty. It does not depend on where they lie. IoError when one cannot be read,
/// DataError when there is none.
[[nodiscard]] Sha256 encoder_digest(const std::filesystem::path& folder,
                                    const std::filesystem::path& tokenizer = {});

/// What `evd init` does: takes the encoders' digests into the configuration and makes their paths
/// absolute. DataError when a digest was given and is another.
void fix_encoders(Config& config);

/// Where the encoders of a campaign lie.
struct TextPaths {
  std::filesystem::path folder;
  std::filesystem::path tokenizer;
};
[[nodiscard]] TextPaths text_paths(const Campaign& campaign, const Config& config);
[[nodiscard]] std::filesystem::path vae_path(const Campaign& campaign, const Config& config);

/// Compares them with text.sha256 and vae.sha256: every byte is read, so one rank does it for all.
/// DataError, with what to type, when one is another.
void check_text_files(const Campaign& campaign, const Config& config);
void check_vae_files(const Campaign& campaign, const Config& config);

}  // namespace evd::run
