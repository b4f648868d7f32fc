#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "run/campaign.hpp"
#include "shard/manifest.hpp"

namespace evd::hands {

/// The results in force, and what they point at. Damage in one of them is thrown (DataError,
/// IoError): nobody can tell then what it points at.
class CurrentResults {
 public:
  explicit CurrentResults(const run::Campaign& campaign);

  [[nodiscard]] const run::Campaign& campaign() const { return campaign_; }
  /// Null = the stage is not done, or not yet again.
  [[nodiscard]] const shard::Manifest* find(const run::StageRef& ref) const;
  /// A current result that was made from a result of `ref` with this content, when the current one
  /// of `ref` is another.
  [[nodiscard]] std::optional<run::StageRef> made_from(const run::StageRef& ref,
                                                       const Sha256& content) const;
  /// True when a current result names it among the files of others that it read.
  [[nodiscard]] bool reads_file(const Sha256& sha256) const;
  /// Every listed file of a table, in the order of the chain.
  void each_file(
      std::string_view table,
      const std::function<void(const run::StageRef&, const std::filesystem::path&)>& take) const;
  /// Files that hold the target of a sample and that no current result lists.
  [[nodiscard]] const std::unordered_set<Sha256>& missing_shards() const;
  /// Pictures of decided pairs that no current result holds.
  [[nodiscard]] const std::unordered_set<ImageId>& missing_pictures() const;

 private:
  const run::Campaign& campaign_;
  std::map<run::StageRef, shard::Manifest> manifests_;
  // Read when they are first asked for: most campaigns have nothing that was set aside.
  mutable std::optional<std::unordered_set<Sha256>> missing_shards_;
  mutable std::optional<std::unordered_set<ImageId>> missing_pictures_;
};

/// Every stage that may have a result: init, start, then round by round.
[[nodiscard]] std::vector<run::StageRef> all_stages(const run::Campaign& campaign);

}  // namespace evd::hands
