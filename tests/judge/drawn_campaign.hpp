#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "image/image.hpp"
#include "run/campaign.hpp"
#include "support/process.hpp"

namespace evd::judge::test {

/// A campaign whose pictures were drawn by the rehearsal's painters in this process, so that judge
/// and score can be run by themselves against the embedded VLM.
class DrawnCampaign {
 public:
  /// Publishes init, harvest(0) (two teachers, start and held-out prompts) and evaluate(start).
  /// `toml` is added to a small configuration; `malformed_rate` of the VLM's replies are no JSON.
  DrawnCampaign(std::filesystem::path root, int prompts, int heldout, const std::string& toml = "",
                double malformed_rate = 0.05);

  /// Publishes harvest(round) for the prompts that judge(round - 1) left waiting, and in round 0,
  /// or as `heldout` says, for the held-out ones.
  enum class HeldOut { drawn, open, none };
  void harvest(int round) const { harvest(round, round == 0 ? HeldOut::drawn : HeldOut::none); }
  void harvest(int round, HeldOut heldout) const;
  static constexpr std::int64_t kTrainedImages = 40;  ///< that train(round) says it took
  /// Publishes train(round) and evaluate(round): every member and held-out prompt rendered, about
  /// every second one as asked for, the others as blots.
  void train_and_evaluate(int round) const;

  /// `mpirun -n ranks evd-judge DIR arguments...`
  [[nodiscard]] evd::test::Finished judge(
      int ranks, const std::vector<std::string>& arguments,
      const std::map<std::string, std::string>& environment = {}) const;
  [[nodiscard]] run::Campaign open() const { return run::Campaign(root_); }
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  /// Content digest of a published result.
  [[nodiscard]] std::string content(const run::StageRef& ref) const;

 private:
  void publish(const run::StageRef& ref, const std::vector<shard::FileEntry>& files,
               const std::map<std::string, std::int64_t>& tallies = {}) const;
  std::filesystem::path root_;
};

}  // namespace evd::judge::test
