#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "run/campaign.hpp"
#include "run/create.hpp"
#include "shard/identity.hpp"
#include "shard/table.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {

/// Smallest configuration with which everything may be asked.
inline run::Config tiny_config() {
  return run::parse_config(R"(
[set]
width = 64
height = 64
[rehearsal]
enabled = true
[vlm]
base_url = "rehearsal"
[[teacher]]
name = "alpha"
base_url = "rehearsal"
[[teacher]]
name = "beta"
base_url = "rehearsal"
)",
                           "tiny.toml");
}

/// A campaign with one waiting prompt under `root`.
inline void make_campaign(const std::filesystem::path& root) {
  const run::NewCampaign campaign(root, tiny_config());
  shard::Sample sample;
  sample.prompt = sample.prompt_sent = "a red ball";
  sample.width = sample.height = 64;
  sample.id = sample.root = shard::sample_id(sample.prompt, 64, 64);
  const std::array rows = {sample};
  campaign.finish(
      {shard::write_table<shard::Sample>(campaign.prompts() / "set.h5", campaign.header(), rows)},
      {}, 0.1);
}

}  // namespace evd::test
