#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "run/campaign.hpp"

namespace evd::run {

enum class State : std::uint8_t { done, stale, unfinished, damaged };
/// "done", "stale", "not finished", "damaged".
[[nodiscard]] std::string_view name_of(State state);

/// How a stage stands, and why when it is not simply done.
struct Standing {
  State state = State::unfinished;
  std::string why;
};

/// True when a science key takes part in what `stage` makes: `train.lr` in train, `vlm.model` in
/// judge and score. Identity keys never change, so they take part in none.
[[nodiscard]] bool affects(std::string_view key, Stage stage);

/// Standing of any stage, from manifests and configurations alone. Stale = a recorded input digest
/// is not the current one, or a science key that the stage uses was changed for its round, or an
/// input is itself stale. Each answer is computed once.
class Standings {
 public:
  using ManifestOf = std::function<std::optional<shard::Manifest>(const StageRef&)>;
  using ConfigOf = std::function<Config(int round)>;
  Standings(ManifestOf manifest_of, ConfigOf config_of);
  /// Of a campaign as it is on disk now; `campaign` must outlive it.
  explicit Standings(const Campaign& campaign);

  [[nodiscard]] const Standing& of(const StageRef& ref);
  [[nodiscard]] const Config& config(int round);
  /// Nothing when unfinished or damaged.
  [[nodiscard]] const std::optional<shard::Manifest>& manifest(const StageRef& ref);
  /// inputs_of under the configuration of the round.
  [[nodiscard]] std::vector<StageRef> inputs(const StageRef& ref);

 private:
  struct Entry {
    std::optional<shard::Manifest> manifest;
    std::string damage;
  };
  const Entry& entry(const StageRef& ref);
  Standing stand(const StageRef& ref);
  std::string changed_input(const StageRef& ref, const shard::Manifest& manifest);
  std::string changed_key(const StageRef& ref, const shard::Manifest& manifest);

  ManifestOf manifest_of_;
  ConfigOf config_of_;
  std::map<StageRef, Entry> entries_;
  std::map<StageRef, Standing> standings_;
  std::map<int, Config> configs_;
};

}  // namespace evd::run
