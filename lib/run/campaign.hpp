#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum.hpp"
#include "core/id.hpp"
#include "run/config.hpp"
#include "shard/manifest.hpp"

namespace evd::run {

enum class Stage : std::uint8_t { init, harvest, judge, train, evaluate, score };

/// One stage of one round. Round -1 is `start/` (evaluate and score of C_start); init has round 0.
struct StageRef {
  Stage stage = Stage::init;
  int round = 0;
  friend auto operator<=>(const StageRef&, const StageRef&) = default;
};
constexpr int kStartRound = -1;

/// "judge(3)", "evaluate(start)", "init".
[[nodiscard]] std::string to_string(const StageRef& ref);
/// "judge-0003", "evaluate-start": names of logs and leases.
[[nodiscard]] std::string file_stem(const StageRef& ref);
/// "--round 3", "--start --score": what its program is given after the directory.
[[nodiscard]] std::string arguments_of(const StageRef& ref);
/// "evd-judge" for judge and score; "evd" for init.
[[nodiscard]] std::string program_of(Stage stage);

/// The dependency table of the chain: what `ref` reads. The only place where it stands.
///   harvest(0): init                     harvest(r): judge(r-1)
///   judge(0): init, harvest(0)           judge(r): judge(r-1), harvest(r), evaluate(r-1)
///   train(0): judge(0)                   train(r): train(r-1), judge(max(0, r - staleness))
///   evaluate(start): init                evaluate(r): train(r), init, and the judge that train(r)
///   read score(start): evaluate(start), harvest(0)   score(r): evaluate(r), harvest(0)
/// What stands behind an input may be read too, as it cannot change without it: harvest(r) reads
/// which held-out pictures harvest(r-1) left open, score(r) those of the harvests behind
/// evaluate(r).
[[nodiscard]] std::vector<StageRef> inputs_of(const StageRef& ref, int staleness);
/// Every stage of rounds 0..rounds-1 and the start stages, in an order that respects inputs_of
/// whatever the staleness (without init, which has been before).
[[nodiscard]] std::vector<StageRef> chain(int rounds);

/// What to say when prompts/MANIFEST.json is not there but rounds/, start/ or calls/ hold work,
/// paid work perhaps; nothing when they are empty, and it is an init that did not finish.
[[nodiscard]] std::optional<std::string> lost_manifest(const std::filesystem::path& root);

/// A campaign directory. All names inside it are built and parsed here.
class Campaign {
 public:
  /// ConfigurationError when `root` holds no campaign (with what to type).
  explicit Campaign(std::filesystem::path root);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] const CampaignId& id() const { return id_; }
  /// prompts, rounds/0003/judge, start/evaluate.
  [[nodiscard]] std::filesystem::path directory(const StageRef& ref) const;
  [[nodiscard]] std::filesystem::path calls() const { return root_ / "calls"; }
  [[nodiscard]] std::filesystem::path logs() const { return root_ / "logs"; }
  [[nodiscard]] std::filesystem::path lease_file(const StageRef& ref) const;
  /// Rate and ETA of a running stage.
  [[nodiscard]] std::filesystem::path progress_file(const StageRef& ref) const;
  /// The file that config(round) reads.
  [[nodiscard]] std::filesystem::path config_file(int round) const;
  /// All such files by the first round that each is for: campaign.toml at kStartRound, then
  /// rounds/NNNN/config.toml.
  [[nodiscard]] std::map<int, std::filesystem::path> config_files() const;
  /// Effective configuration of a round (campaign.toml for the first, rounds/NNNN/config.toml).
  /// DataError when an identity key is not what the campaign was made with.
  [[nodiscard]] Config config(int round) const;
  /// What `ref` published; nothing when it is not done, DataError when damaged or of another one.
  [[nodiscard]] std::optional<shard::Manifest> manifest(const StageRef& ref) const;
  /// The set file that `ref` published: prompts/set.h5 for init, set.h5 of a judge.
  [[nodiscard]] std::filesystem::path set_file(const StageRef& ref) const;
  /// Number of directories under rounds/, from 0000 on.
  [[nodiscard]] int rounds_begun() const;

 private:
  std::filesystem::path root_;
  CampaignId id_;
  Config begun_with_;  // by evd init; identity keys stay as they were then
};

}  // namespace evd::run

namespace evd {
template <>
struct EnumNames<run::Stage> {
  static constexpr std::array<std::string_view, 6> value = {"init",  "harvest",  "judge",
                                                            "train", "evaluate", "score"};
};
}  // namespace evd
