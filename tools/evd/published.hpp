#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "problems.hpp"
#include "run/campaign.hpp"
#include "shard/manifest.hpp"

namespace evd::hands {

/// A published result of a stage.
struct Published {
  run::StageRef ref;
  std::filesystem::path directory;
  std::string name;  ///< the directory relative to the campaign
  shard::Manifest manifest;
  bool is_retired = false;  ///< renamed by a rerun
};

enum class Retired : bool { left_out, included };

/// All results of a campaign: init, start, then round by round; behind each result the retired
/// ones. Results with a damaged manifest are noted and left out.
[[nodiscard]] std::vector<Published> published_results(const run::Campaign& campaign,
                                                       Retired retired, Problems& problems);

}  // namespace evd::hands
