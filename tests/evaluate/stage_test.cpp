#include "evaluate/stage.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "evaluate/part.hpp"
#include "evaluate/plan.hpp"
#include "evaluate/small_campaign.hpp"
#include "fs/file.hpp"
#include "support/temp_dir.hpp"

namespace evd::evaluate {
namespace {

/// One campaign for all ranks, made by rank 0.
class EvaluateStage : public testing::Test {
 protected:
  void SetUp() override {
    if (world_.rank() == 0) {
      directory_ = std::make_unique<evd::test::TempDir>();
      test::make_campaign(*directory_ / "c", 150, 120);
    }
    root_ = world_.broadcast(directory_ ? (*directory_ / "c").string() : "", 0);
    campaign_ = std::make_unique<run::Campaign>(root_);
    config_ = campaign_->config(0);
  }
  void TearDown() override { world_.barrier(); }  // rank 0 removes the directory after this

  run::Result run(int round, run::Rerun rerun = run::Rerun::no) {
    run::Context context{.campaign = *campaign_,
                         .config = config_,
                         .self = {run::Stage::evaluate, round},
                         .rerun = rerun,
                         .directory = campaign_->directory({run::Stage::evaluate, round}),
                         .job = "test",
                         .log = log_,
                         .stop = stop_,
                         .progress = progress_,
                         .world = world_};
    if (world_.rank() == 0) fs::make_directory(context.directory);
    world_.barrier();
    auto result = run_stage(context);
    world_.barrier();
    return result;
  }

  mpi::Communicator world_ = mpi::Communicator::world();
  std::unique_ptr<evd::test::TempDir> directory_;
  std::filesystem::path root_;
  std::unique_ptr<run::Campaign> campaign_;
  run::Config config_;
  Log log_{"test", world_.rank()};
  std::atomic<bool> stop_ = false;
  run::Progress progress_{log_, "test", ""};
};

TEST_F(EvaluateStage, RendersHeldOutPromptsWithTheStartWeights) {
  const auto result = run(run::kStartRound);
  if (world_.rank() != 0) return;
  EXPECT_EQ(result.counts.done, 150);
  ASSERT_EQ(result.files.size(), 4U);  // metrics.h5 and 150 = 64 + 64 + 22
  EXPECT_EQ(result.files[0].name, "metrics.h5");
  EXPECT_EQ(result.files[1].name, "renders-00000.h5");
  EXPECT_EQ(result.files[3].rows, 22);
  EXPECT_EQ(test::renders(root_ / "start" / "evaluate").size(), 150U);
}

TEST_F(EvaluateStage, RendersAShareOfTheTrainedSetToo) {
  const auto result = run(0);
  if (world_.rank() != 0) return;
  EXPECT_EQ(result.tallies.at("renders_heldout"), 150);
  EXPECT_GT(result.tallies.at("renders_members"), 35);
  EXPECT_LT(result.tallies.at("renders_members"), 85);
  const auto metrics = shard::read_table<shard::Metric>(root_ / "rounds/0000/evaluate/metrics.h5");
  ASSERT_EQ(metrics.size(), 8U);
  EXPECT_EQ(metrics[4].metric.text, "renders_heldout");
  EXPECT_EQ(metrics[6].category.text, "text");
  EXPECT_EQ(metrics[6].count, 75);
}

// The answer of one rank, found by rendering each part alone: the stage gives it at any size.
TEST_F(EvaluateStage, PixelsDoNotDependOnTheRanks) {
  static_cast<void>(run(0));
  if (world_.rank() != 0) return;
  const auto together = test::renders(root_ / "rounds/0000/evaluate");
  const nn::Generator generator(root_ / "rounds/0000/train/model.safetensors", config_.network,
                                config_.diffusion);
  const auto set = shard::read_table<shard::Sample>(root_ / "rounds/0000/judge/set.h5");
  const auto pictures = plan(set, set, 0.5, 11, 0);
  ASSERT_EQ(pictures.size(), together.size());
  const Settings settings{generator, config_.evaluate.sampling, 11, 0, 32};
  for (const std::size_t i : {std::size_t{0}, pictures.size() / 2, pictures.size() - 1}) {
    const auto alone = render_rows(settings, std::span(pictures).subspan(i, 1));
    const std::string& png = together.at(pictures[i].prompt_id.hex());
    EXPECT_TRUE(std::ranges::equal(alone[0].bytes, as_bytes(png))) << i;
  }
}

TEST_F(EvaluateStage, KeepsFinishedPartsAndGivesTheSameContent) {
  const auto first = run(0);
  const auto part = root_ / "rounds/0000/evaluate" / part_name(1);
  if (world_.rank() == 0) {
    std::filesystem::remove(part);
    std::filesystem::copy_file(part.parent_path() / part_name(0),
                               part.parent_path() / part_name(40));  // of a larger plan
  }
  world_.barrier();
  const auto second = run(0);
  if (world_.rank() != 0) return;
  EXPECT_EQ(second.tallies.at("kept_parts"), static_cast<std::int64_t>(first.files.size()) - 2);
  EXPECT_EQ(shard::content_of(first.files), shard::content_of(second.files));
}

TEST_F(EvaluateStage, StopsBetweenParts) {
  stop_ = true;
  EXPECT_THROW((void)run(0), Stopped);
}

// Bug: a rank that had done its share waited for the files of one that had left.
TEST_F(EvaluateStage, AllLeaveWhenOneLeavesPartsUndone) {
  stop_ = world_.rank() == 0;
  EXPECT_THROW((void)run(run::kStartRound), Stopped);
}

// Bug: a rerun rendered again what the result that it set aside holds.
TEST_F(EvaluateStage, ARerunTakesOverEqualPictures) {
  const auto first = run(run::kStartRound);
  const auto directory = root_ / "start/evaluate";
  const auto retire = [&](const std::string& number) {
    if (world_.rank() == 0)
      std::filesystem::rename(directory, directory.string() + ".retired-" + number);
    world_.barrier();
  };
  retire("001");
  if (world_.rank() == 0) {
    const auto damaged = directory.string() + ".retired-001/" + part_name(0);
    auto bytes = evd::test::read_file(damaged);
    bytes.resize(bytes.size() - 1);
    evd::test::write_file(damaged, bytes);
  }
  world_.barrier();
  const auto again = run(run::kStartRound, run::Rerun::again);
  retire("002");
  const auto fresh = run(run::kStartRound, run::Rerun::fresh);
  if (world_.rank() != 0) return;
  EXPECT_EQ(first.tallies.at("reused"), 0);
  EXPECT_EQ(again.tallies.at("reused"), 150 - 64) << "all but those of the damaged file";
  EXPECT_EQ(fresh.tallies.at("reused"), 0);
  EXPECT_EQ(shard::content_of(first.files), shard::content_of(again.files));
  EXPECT_EQ(shard::content_of(first.files), shard::content_of(fresh.files));
}

}  // namespace
}  // namespace evd::evaluate
