#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "run/config.hpp"
#include "shard/table.hpp"

namespace evd::run {

/// A campaign directory in the making: `begin` writes campaign.toml and the directories, the caller
/// publishes prompts/*.h5, `finish` publishes prompts/MANIFEST.json. Without that last file it is
/// no campaign yet, and the same command may be given again: it keeps the campaign's id.
class NewCampaign {
 public:
  /// ConfigurationError when `root` holds a campaign already, work of one whose manifest is lost,
  /// or anything that is none of ours. Who holds the lease of init may have made leases/.
  static void require_free(const std::filesystem::path& root);
  /// The same.
  NewCampaign(std::filesystem::path root, Config config);

  [[nodiscard]] const CampaignId& id() const { return id_; }
  [[nodiscard]] const Config& config() const { return config_; }
  /// Where the prompt tables go.
  [[nodiscard]] std::filesystem::path prompts() const { return root_ / "prompts"; }
  [[nodiscard]] shard::FileHeader header() const;
  void finish(const std::vector<shard::FileEntry>& files,
              const std::map<std::string, std::int64_t>& tallies, double wall_s) const;

 private:
  std::filesystem::path root_;
  Config config_;
  CampaignId id_;
};

}  // namespace evd::run
