#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shard/rows.hpp"

namespace evd::test {

/// Makes a campaign at `root` whose round 0 is harvested and judged, so that rounds 0 and 1 can be
/// trained: 24 prompts of coloured squares with a target image each, of several aspects where
/// the network is multi-aspect. `settings` as of --set.
void make_judged_campaign(const std::filesystem::path& root,
                          const std::vector<std::string>& settings = {});

/// Name and SHA-256 of what a train stage published; empty when it has no manifest.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> weights_of(
    const std::filesystem::path& root, int round);
/// The published steps of a round.
[[nodiscard]] std::vector<shard::Step> steps_of(const std::filesystem::path& root, int round);

}  // namespace evd::test
