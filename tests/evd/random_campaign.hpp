#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run/campaigns.hpp"
#include "shard/manifest.hpp"
#include "shard/random_rows.hpp"
#include "shard/training_rows.hpp"

namespace evd::test {

/// Publishes a result of `ref` in `directory` (the stage's own, or a retired one) as a stage would.
inline void publish_result(const run::Campaign& campaign, const run::StageRef& ref,
                           const std::filesystem::path& directory,
                           std::vector<shard::FileEntry> files) {
  shard::Manifest manifest;
  manifest.campaign = campaign.id().hex();
  manifest.stage = name(ref.stage);
  manifest.round = ref.round;
  manifest.software = "test";
  manifest.files = std::move(files);
  manifest.content = shard::content_of(manifest.files);
  manifest.counts = {7, 2, 1, 0};
  manifest.seconds = {{"wall", 12.5}, {"cpu", 20.25}};
  manifest.cost_microusd = 1'500'000;
  manifest.ranks = 2;
  shard::publish_manifest(directory, manifest);
}

/// A campaign in which every table has random rows, in more files than one where stages do so:
/// harvest(0), harvest(1) with two image files each, judge(0), judge(1), train(0) and a retired
/// judge(1). Lines of descent are real: each sample's parent is an earlier one.
class RandomCampaign {
 public:
  static constexpr std::size_t kRows = 60;

  explicit RandomCampaign(const std::filesystem::path& root) : campaign_(made(root)) {
    for (int round = 0; round < 2; ++round) {
      const run::StageRef harvest{run::Stage::harvest, round};
      publish(harvest, campaign_.directory(harvest),
              {write<shard::Image>(harvest, "images-00000.h5", 1),
               write<shard::Image>(harvest, "images-00001.h5", 2),
               write<shard::Call>(harvest, "calls.h5", 3)});
      const run::StageRef judge{run::Stage::judge, round};
      publish(judge, campaign_.directory(judge), judged(judge));
    }
    const run::StageRef train{run::Stage::train, 0};
    publish(train, campaign_.directory(train),
            {write<shard::Step>(train, "steps.h5", 4), write<shard::Visit>(train, "visits.h5", 14),
             write<shard::Block>(train, "blocks.h5", 15),
             write<shard::Validation>(train, "validations.h5", 16)});
    const run::StageRef judge{run::Stage::judge, 1};
    const auto retired = campaign_.directory(judge).string() + ".retired-001";
    std::filesystem::create_directories(retired);
    publish(judge, retired,
            {shard::write_table<shard::Pair>(std::filesystem::path(retired) / "pairs.h5",
                                             header(judge), rows<shard::Pair>(9))});
  }

  [[nodiscard]] const run::Campaign& campaign() const { return campaign_; }
  [[nodiscard]] std::filesystem::path file(run::StageRef ref, const std::string& name) const {
    return campaign_.directory(ref) / name;
  }

 private:
  static run::Campaign made(const std::filesystem::path& root) {
    make_campaign(root);
    return run::Campaign(root);
  }
  [[nodiscard]] shard::FileHeader header(const run::StageRef& ref) const {
    return {campaign_.id().hex(), ref.round, std::string(name(ref.stage)), "", ""};
  }
  template <class Row>
  static std::vector<Row> rows(std::uint64_t seed) {
    return shard::test::random_rows<Row>(kRows, seed);
  }
  template <class Row>
  shard::FileEntry write(const run::StageRef& ref, const std::string& name,
                         std::uint64_t seed) const {
    std::filesystem::create_directories(campaign_.directory(ref));
    const auto seed_of_round = seed + 100 * static_cast<std::uint64_t>(ref.round);
    return shard::write_table<Row>(file(ref, name), header(ref), rows<Row>(seed_of_round));
  }
  std::vector<shard::FileEntry> judged(const run::StageRef& ref) const {
    std::filesystem::create_directories(campaign_.directory(ref));
    auto samples = rows<shard::Sample>(5);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i].id = truncated<SampleId>(sha256("sample " + std::to_string(i)));
      samples[i].parent = i < 4 ? SampleId{} : samples[i / 2].id;
    }
    return {shard::write_table<shard::Sample>(file(ref, "set.h5"), header(ref), samples),
            write<shard::Answer>(ref, "answers.h5", 6), write<shard::Pair>(ref, "pairs.h5", 7),
            write<shard::Metric>(ref, "metrics.h5", 8)};
  }
  void publish(const run::StageRef& ref, const std::filesystem::path& directory,
               std::vector<shard::FileEntry> files) const {
    publish_result(campaign_, ref, directory, std::move(files));
  }

  run::Campaign campaign_;
};

}  // namespace evd::test
