#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "run/config.hpp"

namespace evd::evaluate::test {

/// A configuration with a network that renders in milliseconds.
[[nodiscard]] run::Config small_config();

/// A campaign with held-out prompts, a judged set of round 0 and weights trained on it, as far as
/// evaluate reads it. `heldout` and `members` are counts, `steps` those of the sampler.
void make_campaign(const std::filesystem::path& root, int heldout, int members, int steps = 2);

/// Encoded bytes by sample id, over all image files of a directory.
[[nodiscard]] std::map<std::string, std::string> renders(const std::filesystem::path& directory);

}  // namespace evd::evaluate::test
