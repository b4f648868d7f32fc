// evd-train with validations, as a user starts it.
#include <cmath>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/held_out.hpp"
#include "fs/file.hpp"
#include "image/image.hpp"
#include "image/sheet.hpp"
#include "nn/generator.hpp"
#include "run/campaign.hpp"
#include "shard/table.hpp"
#include "shard/training_rows.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "train/judged_campaign.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;
using Settings = std::vector<std::string>;

constexpr std::size_t kTimesteps = 16;
const std::string kHeldOut = "train.held_out_share=0.3";
const std::string kEvery = "train.validate_every=3";

Finished train(const stdfs::path& campaign, int ranks,
               const std::map<std::string, std::string>& environment = {}) {
  return run(
      {mpirun(ranks, {program("evd-train"), campaign.string(), "--round", "0"}), environment});
}

std::vector<shard::Validation> validations_of(const stdfs::path& campaign) {
  return shard::read_table<shard::Validation>(campaign / "rounds/0000/train/validations.h5");
}

/// Names and digests of the state's pieces and of the model.
std::map<std::string, std::string> safetensors_of(const stdfs::path& campaign) {
  std::map<std::string, std::string> found;
  for (const auto& [name, content] : weights_of(campaign, 0)) {
    if (name.ends_with(".safetensors")) found[name] = content;
  }
  return found;
}

class Validating : public testing::Test {
 protected:
  stdfs::path trained(const std::string& name, const Settings& settings, int ranks = 2) {
    make_judged_campaign(folder / name, settings);
    const auto done = train(folder / name, ranks);
    EXPECT_EQ(done.code, 0) << done.story();
    return folder / name;
  }
  TempDir folder;
};

TEST_F(Validating, TrainingGoesOnAsIfItHadNotBeen) {
  const auto without = trained("without", {kHeldOut});
  const auto with = trained("with", {kHeldOut, kEvery});
  EXPECT_EQ(safetensors_of(with), safetensors_of(without));
  EXPECT_EQ(safetensors_of(with).size(), 6U);  // four pieces, null text, model
  EXPECT_TRUE(validations_of(without).empty());
  EXPECT_EQ(validations_of(with).size(), 4 * 2 * kTimesteps);
}

TEST_F(Validating, MeasuresSamplesThatAreNeverTrainedOn) {
  const auto here = trained("here", {kHeldOut, kEvery});
  std::set<SampleId> visited;
  for (const auto& visit : shard::read_table<shard::Visit>(here / "rounds/0000/train/visits.h5")) {
    visited.insert(visit.sample);
  }
  const auto rows = validations_of(here);
  std::map<std::int64_t, std::set<int>> timesteps;
  for (const auto& row : rows) {
    EXPECT_EQ(static_cast<std::size_t>(row.samples), 24 - visited.size());
    EXPECT_TRUE(std::isfinite(row.loss));
    timesteps[row.step].insert(row.timestep);
  }
  EXPECT_GT(rows.front().samples, 2);
  ASSERT_EQ(timesteps.size(), 4U);
  for (const auto& [step, of] : timesteps) {
    EXPECT_EQ(step % 3, 0);
    EXPECT_EQ(of.size(), kTimesteps);
    EXPECT_EQ(*of.begin(), 31);
    EXPECT_EQ(*of.rbegin(), 968);
  }
}

TEST_F(Validating, AveragedLossesAreThoseOfTheAverage) {
  // An average that forgets at once is the weights, one that hardly moves is where they began.
  const auto losses = [&](const std::string& name, const std::string& ema) {
    std::map<bool, std::map<std::int64_t, std::vector<float>>> found;
    for (const auto& row : validations_of(trained(name, {kHeldOut, kEvery, "train.ema=" + ema}))) {
      found[row.averaged][row.step].push_back(row.loss);
    }
    return found;
  };
  auto same = losses("same", "0");
  EXPECT_EQ(same[true], same[false]);
  EXPECT_NE(same[false].at(3), same[false].at(12));
  auto still = losses("still", "0.999999");
  float learned = 0;
  for (std::size_t i = 0; i < kTimesteps; ++i) {
    const float begun = still[true].at(3)[i];
    EXPECT_NEAR(still[true].at(12)[i], begun, 1e-4 * begun) << i;
    learned += (begun - same[true].at(12)[i]) / kTimesteps;
  }
  EXPECT_GT(learned, 0.05);
  EXPECT_EQ(still[false], same[false]);
}

TEST_F(Validating, AnyNumberOfRanksMeasuresTheSame) {
  const auto expected = validations_of(trained("one", {kHeldOut, kEvery}, 1));
  const auto rows = validations_of(trained("three", {kHeldOut, kEvery, "train.micro_batch=5"}, 3));
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].timestep, expected[i].timestep);
    EXPECT_EQ(rows[i].averaged, expected[i].averaged);
    EXPECT_NEAR(rows[i].loss, expected[i].loss, 1e-4 * expected[i].loss) << i;
  }
}

TEST_F(Validating, AKilledRunHasEachValidationOnce) {
  const auto straight = trained("straight", {kHeldOut, kEvery});
  const auto here = folder / "killed";
  make_judged_campaign(here, {kHeldOut, kEvery});
  Process process({mpirun(2, {program("evd-train"), here.string(), "--round", "0", "--set",
                              "train.checkpoint_every=4"})});
  const auto second = here / "rounds/0000/train/state/step-000000008/index.json";
  while (process.running() && !stdfs::exists(second)) std::this_thread::yield();
  process.kill_tree();
  (void)process.wait();
  ASSERT_FALSE(stdfs::exists(here / "rounds/0000/train/MANIFEST.json")) << "it was too quick";
  const auto again = train(here, 2);
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_NE(again.err.find("goes on at step"), std::string::npos) << again.story();
  EXPECT_EQ(weights_of(here, 0), weights_of(straight, 0));
}

// In the one behind the last step, so that nothing but it is left to do.
TEST_F(Validating, StoppedInAValidationItLooksInItsNextLife) {
  const Settings slow = {kHeldOut,
                         "train.validate_every=12",
                         "train.validation_pictures=24",
                         "evaluate.steps=1000",
                         "network.depth=6",
                         "train.step_limit_s=10"};
  const auto straight = trained("straight", slow);
  const auto here = folder / "stopped";
  make_judged_campaign(here, slow);
  Process process({mpirun(2, {program("evd-train"), here.string(), "--round", "0"})});
  const auto board = here / "rounds/0000/train/board";
  const auto is_looking = [&] {
    return stdfs::exists(board) && read_file(board).find(" validation ") != std::string::npos;
  };
  while (process.running() && !is_looking()) std::this_thread::yield();
  process.signal(SIGUSR1);
  const auto stopped = process.wait();
  EXPECT_EQ(stopped.code, 75) << stopped.story();
  EXPECT_FALSE(stdfs::exists(here / "logs/validation/step-000000012.png"));
  const auto again = train(here, 2);
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_NE(again.err.find("goes on at step 12 of 12"), std::string::npos) << again.story();
  EXPECT_EQ(weights_of(here, 0), weights_of(straight, 0));
  EXPECT_EQ(validations_of(here).size(), 2 * kTimesteps);
  EXPECT_TRUE(stdfs::exists(here / "logs/validation/step-000000012.png"));
}

TEST_F(Validating, TheLastSheetIsDrawnByThePublishedWeights) {
  const auto here = trained("drawn", {kEvery, "train.validation_pictures=4"});
  EXPECT_TRUE(validations_of(here).empty());  // nothing is held out
  const auto sheets = here / "logs/validation";
  const auto prompts = fs::read_text(sheets / "prompts.txt");
  const run::Campaign campaign(here);
  const auto& config = campaign.config(0);
  std::map<std::string, SampleId> ids;
  for (const auto& row :
       shard::read_table<shard::Sample>(campaign.set_file({run::Stage::init, 0}))) {
    ids[row.prompt] = row.id;
  }
  std::vector<nn::RenderRequest> requests;
  for (std::size_t begin = 0; begin < prompts.size();) {
    const auto end = prompts.find('\n', begin);
    const auto prompt = prompts.substr(begin, end - begin);
    requests.push_back({.prompt = prompt, .noise_id = data::heldout_noise(ids.at(prompt))});
    begin = end + 1;
  }
  ASSERT_EQ(requests.size(), 4U);
  const nn::Generator generator(here / "rounds/0000/train/model.safetensors", config.network,
                                config.diffusion);
  auto sampler = config.evaluate.sampling;
  sampler.batch = 1;
  std::vector<image::Rgb> cells;
  for (auto& pixels : generator.render(requests, sampler, config.campaign.seed)) {
    cells.push_back({16, 16, std::move(pixels)});
  }
  const auto expected = image::contact_sheet(cells, 2);
  const auto sheet = image::decode(fs::read_bytes(sheets / "step-000000012.png"));
  ASSERT_EQ(sheet.width, expected.width);
  ASSERT_EQ(sheet.height, expected.height);
  int apart = 0;
  for (std::size_t i = 0; i < sheet.pixels.size(); ++i) {
    apart = std::max(apart, std::abs(int{sheet.pixels[i]} - int{expected.pixels[i]}));
  }
  EXPECT_LE(apart, 1);
  EXPECT_NE(fs::read_bytes(sheets / "step-000000003.png"),
            fs::read_bytes(sheets / "step-000000012.png"));

  const auto read = run(
      {{test_python(), "-W", "ignore", (source_directory() / "tests/run/read_events.py").string(),
        (here / "logs/tensorboard/train").string()}});
  ASSERT_EQ(read.code, 0) << read.story();
  EXPECT_EQ(nlohmann::json::parse(read.out).at("images").at("validation/pictures").size(), 4U);
}

TEST_F(Validating, MoreRanksThanThereIsToLookAt) {
  const auto here = trained("many",
                            {kEvery, "train.held_out_share=0.2", "train.validation_samples=1",
                             "train.validation_pictures=1"},
                            4);
  const auto rows = validations_of(here);
  ASSERT_EQ(rows.size(), 4 * 2 * kTimesteps);
  EXPECT_EQ(rows.front().samples, 1);
  EXPECT_TRUE(stdfs::exists(here / "logs/validation/step-000000012.png"));
}

TEST_F(Validating, PicturesAreNoPartOfTheResult) {
  const auto content = [&](const std::string& name, const std::string& pictures) {
    const auto here = trained(name, {kHeldOut, kEvery, "train.validation_pictures=" + pictures});
    return run::Campaign(here).manifest({run::Stage::train, 0})->content;
  };
  EXPECT_EQ(content("none", "0"), content("five", "5"));
}

}  // namespace
}  // namespace evd::test
