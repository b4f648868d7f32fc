// evd-train as a user starts it, on a campaign whose set is judged.
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "nn/safetensors.hpp"
#include "shard/table.hpp"
#include "shard/training_rows.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "train/judged_campaign.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;
using Environment = std::map<std::string, std::string>;

std::vector<std::string> command(const stdfs::path& campaign, int ranks, int round,
                                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {program("evd-train"), campaign.string(), "--round",
                                        std::to_string(round)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return mpirun(ranks, arguments);
}

Finished train(const stdfs::path& campaign, int ranks, int round = 0,
               const Environment& environment = {}) {
  return run({command(campaign, ranks, round), environment});
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<float> average_of(const stdfs::path& campaign, const std::string& tensor) {
  return nn::Safetensors::read(campaign / "rounds/0000/train/model.safetensors").floats(tensor);
}

/// Flips one byte in the middle of a file.
void damage(const stdfs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(stdfs::file_size(path) / 2);
  file.seekg(middle);
  const auto byte = static_cast<char>(file.get() ^ 0x20);
  file.seekp(middle);
  file.put(byte);
}

class Training : public testing::Test {
 protected:
  /// A campaign of its own, equal to all others made with these settings.
  stdfs::path campaign(const std::string& name, const std::vector<std::string>& settings = {}) {
    make_judged_campaign(folder / name, settings);
    return folder / name;
  }
  TempDir folder;
};

TEST_F(Training, AnyNumberOfRanksSeesTheSameDataAndLosses) {
  std::map<int, stdfs::path> at;
  for (const int ranks : {1, 2, 4}) {
    at[ranks] = campaign("ranks" + std::to_string(ranks));
    const auto done = train(at[ranks], ranks);
    ASSERT_EQ(done.code, 0) << done.story();
  }
  const auto one = steps_of(at[1], 0);
  ASSERT_EQ(one.size(), 12U);
  for (const int ranks : {2, 4}) {
    const auto other = steps_of(at[ranks], 0);
    ASSERT_EQ(other.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_NEAR(other[i].loss, one[i].loss, 2e-5 * one[i].loss) << ranks << " ranks, step " << i;
      EXPECT_NEAR(other[i].gradient_norm, one[i].gradient_norm, 1e-3 * one[i].gradient_norm);
    }
    const auto expected = average_of(at[1], "final_layer.linear.weight");
    const auto weights = average_of(at[ranks], "final_layer.linear.weight");
    double gap = 0;
    double size = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      gap += std::pow(double{weights[i]} - double{expected[i]}, 2);
      size += std::pow(double{expected[i]}, 2);
    }
    EXPECT_LT(std::sqrt(gap / size), 1e-3) << ranks;
  }
}

TEST_F(Training, LearnsTheToyAndTheNextRoundGoesOn) {
  const auto here = campaign("learn", {"train.steps_per_round=150"});
  ASSERT_EQ(train(here, 2, 0).code, 0);
  const auto done = train(here, 2, 1);
  ASSERT_EQ(done.code, 0) << done.story();
  const auto mean = [](const std::vector<shard::Step>& steps, std::size_t begin) {
    double sum = 0;
    for (std::size_t i = begin; i < begin + 10; ++i) sum += steps[i].loss;
    return sum / 10;
  };
  const auto first = steps_of(here, 0);
  const auto second = steps_of(here, 1);
  EXPECT_NEAR(first[0].loss, 1.0, 0.3);  // of a network that gives zeros
  EXPECT_LT(mean(first, 140), 0.75 * first[0].loss);
  EXPECT_LT(mean(second, 140), mean(first, 140));
  EXPECT_LT(mean(second, 0), 0.8 * first[0].loss);  // it did not begin anew
  EXPECT_EQ(second.front().step, 150);              // steps and warm-up count on
  EXPECT_FLOAT_EQ(second.front().learning_rate, 2e-3F);
  EXPECT_FLOAT_EQ(first.front().learning_rate, 2e-3F / 3);
}

TEST_F(Training, EqualRunsGiveEqualBytes) {
  const auto a = campaign("a");
  const auto b = campaign("b");
  ASSERT_EQ(train(a, 2).code, 0);
  ASSERT_EQ(train(b, 2).code, 0);
  EXPECT_EQ(weights_of(a, 0), weights_of(b, 0));
  EXPECT_EQ(weights_of(a, 0).size(), 11U);  // four pieces, null text, index, 4 tables, model
}

std::vector<std::string> lines_of(const stdfs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Names under state/, in order.
std::vector<std::string> checkpoints_in(const stdfs::path& campaign) {
  std::vector<std::string> names;
  for (const auto& entry : stdfs::directory_iterator(campaign / "rounds/0000/train/state")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Ends rank 0 at chosen I/O events: the resumed run has the bytes of the undisturbed one.
TEST_F(Training, KilledWhileItWritesItResumesBitExactly) {
  const auto straight = campaign("straight");
  const auto trace = folder / "trace";
  ASSERT_EQ(train(straight, 2, 0, {{"EVD_IO_TRACE", trace.string()}}).code, 0);
  std::vector<int> events;
  for (const auto& line : lines_of(trace)) {
    if (line.starts_with("0 ") && holds(line, "/train/")) {
      events.push_back(std::stoi(line.substr(2)));
    }
  }
  ASSERT_GT(events.size(), 12U);
  // Spread over the stage: in the first state, between states, in the results.
  for (std::size_t i = 0; i < 6; ++i) {
    const int event = events[(2 * i + 1) * events.size() / 12];
    const auto here = campaign("killed" + std::to_string(event));
    const auto killed =
        train(here, 2, 0, {{"EVD_KILL_AT", std::to_string(event)}, {"EVD_KILL_RANK", "0"}});
    EXPECT_NE(killed.code, 0) << "event " << event;
    EXPECT_TRUE(weights_of(here, 0).empty());
    const auto again = train(here, 2);
    ASSERT_EQ(again.code, 0) << "event " << event << "\n" << again.story();
    EXPECT_EQ(weights_of(here, 0), weights_of(straight, 0)) << "event " << event;
    EXPECT_EQ(checkpoints_in(here), std::vector<std::string>{"step-000000012"});
  }
}

TEST_F(Training, ASignalSavesAndLeavesWith75) {
  const std::vector<std::string> longer = {"train.steps_per_round=150"};
  const auto straight = campaign("straight", longer);
  ASSERT_EQ(train(straight, 2).code, 0);
  const auto here = campaign("stopped", longer);
  Process process({command(here, 2, 0, {"--set", "train.checkpoint_every=5"})});
  const auto state = here / "rounds/0000/train/state";
  while (process.running() && !stdfs::exists(state)) std::this_thread::yield();
  process.signal(SIGUSR1);
  const auto stopped = process.wait();
  EXPECT_EQ(stopped.code, 75) << stopped.story();
  EXPECT_TRUE(holds(stopped.err, "stopped")) << stopped.story();
  const auto again = train(here, 2);
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_TRUE(holds(again.err, "goes on at step")) << again.story();
  EXPECT_EQ(weights_of(here, 0), weights_of(straight, 0));
  EXPECT_EQ(steps_of(here, 0).size(), 150U);
}

// Weights that are computed with are then not their own master: other buffers, another exchange.
TEST_F(Training, InBfloat16ItGivesNearlyTheSameAndResumesBitExactly) {
  const auto exact = campaign("float");
  ASSERT_EQ(train(exact, 2).code, 0);
  const std::vector<std::string> half = {"compute.precision=bfloat16", "train.validate_every=4",
                                         "train.held_out_share=0.2", "train.validation_pictures=2",
                                         "train.block_norms_every=4"};
  const auto straight = campaign("straight", half);
  const auto trace = folder / "trace";
  const auto done = train(straight, 2, 0, {{"EVD_IO_TRACE", trace.string()}});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_TRUE(holds(done.err, "computes on cpu, bfloat16")) << done.story();
  const auto steps = steps_of(straight, 0);
  const auto in_float = steps_of(exact, 0);
  ASSERT_EQ(steps.size(), in_float.size());
  // The held-out share leaves other samples, so only what a network of zeros gives is the same.
  EXPECT_NEAR(steps[0].loss, in_float[0].loss, 0.2);
  EXPECT_LT(steps.back().loss, steps.front().loss);
  const auto events = lines_of(trace).size();
  for (const std::size_t event : {events / 3, 2 * events / 3}) {
    const auto here = campaign("killed" + std::to_string(event), half);
    const auto killed =
        train(here, 2, 0, {{"EVD_KILL_AT", std::to_string(event)}, {"EVD_KILL_RANK", "0"}});
    EXPECT_NE(killed.code, 0) << "event " << event;
    const auto again = train(here, 2);
    ASSERT_EQ(again.code, 0) << again.story();
    EXPECT_EQ(weights_of(here, 0), weights_of(straight, 0)) << "event " << event;
  }
  const auto other = campaign("other", {"compute.precision=bfloat16"});
  ASSERT_EQ(train(other, 3).code, 0);
  const auto two = campaign("two", {"compute.precision=bfloat16"});
  ASSERT_EQ(train(two, 2).code, 0);
  const auto three_ranks = steps_of(other, 0);
  const auto two_ranks = steps_of(two, 0);
  for (std::size_t i = 0; i < two_ranks.size(); ++i) {
    EXPECT_NEAR(three_ranks[i].loss, two_ranks[i].loss, 5e-3) << "step " << i;
    EXPECT_NEAR(two_ranks[i].loss, in_float[i].loss, 5e-3) << "step " << i;
  }
}

TEST_F(Training, MoreAveragesAreKeptPublishedAndBegunLater) {
  const auto model = [](const stdfs::path& campaign, int round, const std::string& name) {
    const auto stage = campaign / ("rounds/000" + std::to_string(round)) / "train";
    return nn::Safetensors::read(stage / name).floats("final_layer.linear.weight");
  };
  const auto one = campaign("one");
  ASSERT_EQ(train(one, 2).code, 0);
  const std::vector<std::string> more = {"train.more_emas=0.5 0"};
  const auto here = campaign("three", more);
  const auto done = train(here, 2);
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(model(here, 0, "model.safetensors"), model(one, 0, "model.safetensors"));
  const auto alone = campaign("alone", {"train.ema=0.5"});
  ASSERT_EQ(train(alone, 2).code, 0);
  EXPECT_EQ(model(here, 0, "model-ema1.safetensors"), model(alone, 0, "model.safetensors"));
  EXPECT_NE(model(here, 0, "model-ema2.safetensors"), model(one, 0, "model.safetensors"));
  // The next round's go on by decay, wherever they stand.
  const auto other = folder / "other order";
  stdfs::copy(here, other, stdfs::copy_options::recursive);
  for (const auto& [at, decays] : {std::pair(here, "0.5 0.75"), std::pair(other, "0.75 0.5")}) {
    const auto set = run({{program("evd"), "set", at.string(),
                           std::string("train.more_emas=") + decays, "--from", "1"}});
    ASSERT_EQ(set.code, 0) << set.story();
    ASSERT_EQ(train(at, 2, 1).code, 0);
  }
  EXPECT_EQ(model(here, 1, "model-ema1.safetensors"), model(other, 1, "model-ema2.safetensors"));
  EXPECT_EQ(model(here, 1, "model-ema2.safetensors"), model(other, 1, "model-ema1.safetensors"));
  const auto resumed = campaign("resumed", more);
  Process process({command(resumed, 2, 0)});
  const auto state = resumed / "rounds/0000/train/state";
  while (process.running() && !stdfs::exists(state / "step-000000004/index.json")) {
    std::this_thread::yield();
  }
  process.kill_tree();
  (void)process.wait();
  ASSERT_EQ(train(resumed, 2).code, 0);
  EXPECT_EQ(weights_of(resumed, 0), weights_of(here, 0));
  // A round that asks for one more than the one before begins it as a copy of the weights.
  const auto set =
      run({{program("evd"), "set", one.string(), "train.more_emas=0.9999999", "--from", "1"}});
  ASSERT_EQ(set.code, 0) << set.story();
  ASSERT_EQ(train(one, 2, 1).code, 0);
  EXPECT_NE(model(one, 1, "model-ema1.safetensors"), model(one, 1, "model.safetensors"));
  const auto wrong = campaign("wrong");
  const auto refused = run({command(wrong, 1, 0, {"--set", "train.more_emas=0.7 1.5"})});
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_TRUE(holds(refused.err, "\"1.5\" is no decay")) << refused.story();
}

// What cannot be done must not cost the result that is there.
TEST_F(Training, WhatCannotBeDoneIsRefusedBeforeTheResultIsSetAside) {
  const auto here = campaign("kept");
  ASSERT_EQ(train(here, 1).code, 0);
  const auto before = weights_of(here, 0);
  for (const auto& [option, value, code] :
       {std::tuple("--set", "compute.device=cuda", 78), std::tuple("--profile", "12:13", 64)}) {
    const auto refused = run({command(here, 1, 0, {"--rerun", option, value})});
    EXPECT_EQ(refused.code, code) << refused.story();
    EXPECT_EQ(weights_of(here, 0), before) << value;
  }
}

TEST_F(Training, ACardThatIsNotThereIsNamed) {
  const auto done =
      run({{program("evd-train"), "--synthetic", "--steps", "2", "--set", "compute.device=cuda"}});
  EXPECT_EQ(done.code, 78) << done.story();
  EXPECT_TRUE(holds(done.err, "compute.device=auto")) << done.story();
}

/// Kills a run after its second checkpoint, so that both lie there.
stdfs::path half_done(const stdfs::path& here) {
  const auto folder = here / "rounds/0000/train/state";
  Process process({command(here, 2, 0, {"--set", "train.checkpoint_every=4"})});
  while (process.running() && !stdfs::exists(folder / "step-000000008/index.json")) {
    std::this_thread::yield();
  }
  process.kill_tree();
  (void)process.wait();
  return folder;
}

/// Of those that are whole, the newest first.
std::vector<std::string> whole_checkpoints(const stdfs::path& here) {
  std::vector<std::string> names = checkpoints_in(here);
  std::erase_if(names, [&](const std::string& name) {
    return !stdfs::exists(here / "rounds/0000/train/state" / name / "index.json");
  });
  std::reverse(names.begin(), names.end());
  return names;
}

TEST_F(Training, ADamagedCheckpointIsPassedOverForTheOneBefore) {
  const std::vector<std::string> longer = {"train.steps_per_round=120", "train.keep=100"};
  const auto straight = campaign("straight", longer);
  ASSERT_EQ(train(straight, 2).code, 0);
  const auto here = campaign("damaged", longer);
  const auto state = half_done(here);
  const auto names = whole_checkpoints(here);
  ASSERT_GE(names.size(), 2U);
  damage(state / names[0] / "exp_avg-00000.safetensors");
  const auto again = train(here, 2);
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_TRUE(holds(again.err, names[0] + " is passed over")) << again.story();
  EXPECT_TRUE(holds(again.err, "(" + names[1] + ")"));
  EXPECT_EQ(weights_of(here, 0), weights_of(straight, 0));
}

TEST_F(Training, AllCheckpointsDamagedItBeginsAnewAndSaysSo) {
  const std::vector<std::string> longer = {"train.steps_per_round=120"};
  const auto straight = campaign("straight", longer);
  ASSERT_EQ(train(straight, 1).code, 0);
  const auto here = campaign("damaged", longer);
  const auto state = half_done(here);
  for (const auto& name : whole_checkpoints(here))
    damage(state / name / "master-00000.safetensors");
  const auto again = train(here, 1);
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_TRUE(holds(again.err, "is passed over")) << again.story();
  EXPECT_EQ(weights_of(here, 0), weights_of(straight, 0));
}

TEST_F(Training, AnotherNumberOfRanksGoesOnAndSaysSo) {
  const std::vector<std::string> longer = {"train.steps_per_round=120"};
  const auto straight = campaign("straight", longer);
  ASSERT_EQ(train(straight, 2).code, 0);
  const auto here = campaign("moved", longer);
  (void)half_done(here);
  const auto again = train(here, 3);
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_TRUE(holds(again.err, "ranks 2, now 3")) << again.story();
  const auto expected = steps_of(straight, 0);
  const auto steps = steps_of(here, 0);
  ASSERT_EQ(steps.size(), expected.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_NEAR(steps[i].loss, expected[i].loss, 1e-3 * expected[i].loss) << i;
  }
}

TEST_F(Training, MicroBatchesGiveTheSameLossesToRounding) {
  const auto whole = campaign("whole");
  ASSERT_EQ(train(whole, 2).code, 0);
  const auto cut = campaign("cut");
  const auto done = run({command(cut, 2, 0, {"--set", "train.micro_batch=3"}), {}});
  ASSERT_EQ(done.code, 0) << done.story();
  const auto expected = steps_of(whole, 0);
  const auto steps = steps_of(cut, 0);
  ASSERT_EQ(steps.size(), expected.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_NEAR(steps[i].loss, expected[i].loss, 2e-5 * expected[i].loss) << i;
    EXPECT_NEAR(steps[i].gradient_norm, expected[i].gradient_norm, 1e-3 * steps[i].gradient_norm);
  }
}

TEST_F(Training, GivesUpWhenNothingIsFiniteAnyMore) {
  const auto here = campaign("burst", {"train.lr=10", "train.clip=0", "train.weight_decay=10",
                                       "train.max_skipped=3", "train.steps_per_round=400"});
  const auto done = train(here, 2);
  EXPECT_EQ(done.code, 65) << done.story();
  EXPECT_TRUE(holds(done.err, "4 steps in a row were left out")) << done.story();
  EXPECT_TRUE(holds(done.err, "loss is not finite for sample ")) << done.story();
  EXPECT_FALSE(stdfs::exists(here / "rounds/0000/train/MANIFEST.json"));
}

TEST_F(Training, StartsFromAFileAndChecksIt) {
  const auto first = campaign("first");
  ASSERT_EQ(train(first, 1).code, 0);
  const auto file = first / "rounds/0000/train/model.safetensors";
  std::string digest;
  for (const auto& [name, sha256] : weights_of(first, 0)) {
    if (name == "model.safetensors") digest = sha256;
  }
  const std::vector<std::string> from_file = {"base.init=file", "base.file=" + file.string(),
                                              "base.sha256=" + digest};
  const auto second = campaign("second", from_file);
  const auto done = train(second, 1);
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_LT(steps_of(second, 0)[0].loss, steps_of(first, 0)[0].loss);

  const auto third = campaign("third", from_file);
  damage(file);
  const auto refused = train(third, 1);
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_TRUE(holds(refused.err, "not the start weights of this campaign")) << refused.story();
}

TEST_F(Training, ADamagedCheckpointOfTheRoundBeforeIsRefused) {
  const auto here = campaign("here");
  ASSERT_EQ(train(here, 1, 0).code, 0);
  damage(here / "rounds/0000/train/state/step-000000012/master-00000.safetensors");
  const auto refused = train(here, 1, 1);
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_TRUE(holds(refused.err, "master-00000.safetensors: damaged")) << refused.story();
}

TEST_F(Training, MoreRanksThanSamplesInABatch) {
  const auto here = campaign("few", {"train.batch=3", "train.steps_per_round=3"});
  const auto done = train(here, 4);
  EXPECT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(steps_of(here, 0).size(), 3U);
}

TEST_F(Training, IsRefusedBeforeItTakesMemoryThatIsNotThere) {
  const auto here = campaign("large", {"train.batch=30000"});
  const auto limited = [&](const stdfs::path& campaign) {
    return run({mpirun(2, {"sh", "-c", "ulimit -v 3000000; exec \"$@\"", "sh", program("evd-train"),
                           campaign.string(), "--round", "0"})});
  };
  const auto refused = limited(here);
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_TRUE(holds(refused.err, "RLIMIT_AS (ulimit -v) leaves")) << refused.story();
  EXPECT_TRUE(holds(refused.err, "activations")) << refused.story();
  EXPECT_TRUE(holds(refused.err, "train.micro_batch")) << refused.story();
  EXPECT_FALSE(stdfs::exists(here / "rounds/0000/train/state"));
  // The limit is what it was refused for: a small batch goes through under it.
  const auto done = limited(campaign("small"));
  EXPECT_EQ(done.code, 0) << done.story();
}

TEST_F(Training, VisitsTellWhichSamplesWereTrainedOnAndHowWell) {
  const auto here = campaign("visits", {"train.block_norms_every=5"});
  ASSERT_EQ(train(here, 3).code, 0);
  const auto result = here / "rounds/0000/train";
  const auto steps = steps_of(here, 0);
  const auto visits = shard::read_table<shard::Visit>(result / "visits.h5");
  ASSERT_EQ(visits.size(), steps.size() * 10);
  for (std::size_t i = 0; i < visits.size(); ++i) {
    EXPECT_EQ(visits[i].step, static_cast<std::int64_t>(i / 10));
    EXPECT_EQ(visits[i].place, static_cast<int>(i % 10));
  }
  for (std::size_t step = 0; step < steps.size(); ++step) {
    double sum = 0;
    for (std::size_t i = 0; i < 10; ++i) sum += double{visits[10 * step + i].loss};
    EXPECT_NEAR(sum / 10, steps[step].loss, 1e-5) << step;
  }
  // Two rounds over 24 samples take each of them 5 times.
  std::map<SampleId, int> times;
  for (const auto& visit : visits) ++times[visit.sample];
  EXPECT_EQ(times.size(), 24U);
  for (const auto& [id, count] : times) EXPECT_EQ(count, 5) << id.hex();

  const auto blocks = shard::read_table<shard::Block>(result / "blocks.h5");
  std::map<std::int64_t, double> squares;
  for (const auto& row : blocks) {
    squares[row.step] += std::pow(double{row.gradient_norm}, 2);
    if (row.part.text.starts_with("blocks.")) {
      EXPECT_GT(row.weight_norm, 0);
      EXPECT_GT(row.update_ratio, 0);
      EXPECT_LT(row.update_ratio, 0.1);
    }
  }
  ASSERT_EQ(squares.size(), 3U);  // steps 0, 5 and 10
  for (const auto& [step, square] : squares) {
    const auto norm = steps[static_cast<std::size_t>(step)].gradient_norm;
    EXPECT_NEAR(std::sqrt(square), norm, 1e-4 * norm);
  }
}

TEST_F(Training, CurvesOfTwoRoundsAndAKilledLifeAreOneForTensorBoard) {
  const auto here = campaign("curves", {"train.steps_per_round=40"});
  Process process({command(here, 2, 0, {"--set", "train.checkpoint_every=7"})});
  const auto second = here / "rounds/0000/train/state/step-000000014/index.json";
  while (process.running() && !stdfs::exists(second)) std::this_thread::yield();
  process.kill_tree();
  (void)process.wait();
  ASSERT_EQ(train(here, 2, 0).code, 0);
  ASSERT_EQ(train(here, 2, 1).code, 0);
  const auto read = run(
      {{test_python(), "-W", "ignore", (source_directory() / "tests/run/read_events.py").string(),
        (here / "logs/tensorboard/train").string()}});
  ASSERT_EQ(read.code, 0) << read.story();
  const auto scalars = nlohmann::json::parse(read.out).at("scalars");
  const auto& loss = scalars.at("training/loss");
  ASSERT_EQ(loss.size(), 80U);
  for (std::size_t i = 0; i < 80; ++i) {
    EXPECT_EQ(loss[i][0], i);
    const auto rows = steps_of(here, i < 40 ? 0 : 1);
    EXPECT_FLOAT_EQ(loss[i][1].get<float>(), rows[i % 40].loss);
  }
  for (const char* tag :
       {"loss_by_timestep/0", "loss_by_timestep/9", "loss_by_category/other", "loss_by_origin/0",
        "gradient_norm/blocks.1", "update_over_weight/final_layer", "speed/images_per_s"}) {
    EXPECT_TRUE(scalars.contains(tag)) << tag;
  }
}

TEST_F(Training, AProfileHasWhatEachRankDid) {
  const auto here = campaign("profile");
  const auto done = run({command(here, 2, 0, {"--profile", "3:5"})});
  ASSERT_EQ(done.code, 0) << done.story();
  std::size_t files = 0;
  for (const auto& entry : stdfs::directory_iterator(here / "logs/profile")) {
    ++files;
    const auto trace = nlohmann::json::parse(read_file(entry.path()));
    std::map<std::string, int> counts;
    for (const auto& event : trace.at("traceEvents")) {
      if (event.at("ph") == "X") ++counts[event.at("name")];
    }
    for (const char* name : {"data", "forward", "backward", "reduce", "update", "bucket 0"}) {
      EXPECT_EQ(counts[name], 2) << name << " in " << entry.path();
    }
    EXPECT_GE(counts["checkpoint"], 1);
  }
  EXPECT_EQ(files, 2U);
  const auto wrong = run({command(campaign("wrong"), 1, 0, {"--profile", "5"})});
  EXPECT_EQ(wrong.code, 64) << wrong.story();
}

/// Spikes are common where a little above the median counts as one.
std::vector<std::string> nervous() {
  return {"train.steps_per_round=120", "train.spike_factor=1.25", "train.spike_after=20",
          "train.max_skipped=2",       "train.warmup_steps=80",   "train.validate_every=7",
          "train.held_out_share=0.2"};
}

TEST_F(Training, GoesBackAndLeavesOutWhatItWasLostAt) {
  const auto a = campaign("a", nervous());
  const auto first = train(a, 2);
  ASSERT_EQ(first.code, 0) << first.story();
  EXPECT_TRUE(holds(first.err, "is a spike; its samples: ")) << first.story();
  EXPECT_TRUE(holds(first.err, "3 steps in a row were left out")) << first.story();
  EXPECT_TRUE(holds(first.err, "training goes back to step")) << first.story();
  const auto steps = steps_of(a, 0);
  ASSERT_EQ(steps.size(), 120U);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i].step, static_cast<std::int64_t>(i));
  }
  // Warm-up counts applied steps; those that are left out for good have not even been tried.
  int applied = 0;
  int skipped = 0;
  for (const auto& step : steps) {
    if (step.learning_rate > 0) {
      EXPECT_FLOAT_EQ(step.learning_rate, 2e-3F * std::min(1.0F, (applied + 1) / 80.0F));
    }
    applied += step.skipped ? 0 : 1;
    skipped += step.skipped && step.learning_rate == 0 ? 1 : 0;
  }
  EXPECT_GE(skipped, 3);
  EXPECT_GT(applied, 60);
  // The same again, and killed half way: the same bits.
  const auto b = campaign("b", nervous());
  Process process({command(b, 2, 0, {"--set", "train.checkpoint_every=5"})});
  while (process.running() && !process.wait_for("training goes back to step", 1)) {
  }
  process.kill_tree();
  (void)process.wait();
  const auto again = train(b, 2);
  ASSERT_EQ(again.code, 0) << again.story();
  EXPECT_EQ(weights_of(b, 0), weights_of(a, 0));
}

TEST_F(Training, MadeUpFeaturesNeedNoCampaignAndTrainAlikeOnAnyRanks) {
  const auto loss_of = [&](int ranks, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {program("evd-train"),
                                          "--synthetic",
                                          "--steps",
                                          "4",
                                          "--set",
                                          "train.batch=6",
                                          "--set",
                                          "network.channels=4",
                                          "--set",
                                          "network.patch=4",
                                          "--set",
                                          "train.lr=1e-3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto done = run({mpirun(ranks, arguments)});
    EXPECT_EQ(done.code, 0) << done.story();
    const auto line = nlohmann::json::parse(done.out, nullptr, false);
    EXPECT_EQ(line.value("ranks", 0), ranks) << done.story();
    EXPECT_GT(line.value("peak_pss_bytes", 0.0), 1e7);
    EXPECT_GT(line.value("images_per_s", 0.0), 0);
    return line.value("loss", 0.0);
  };
  const double one = loss_of(1);
  EXPECT_GT(one, 0.1);
  EXPECT_NEAR(loss_of(2), one, 2e-4);
  EXPECT_NEAR(loss_of(2, {"--set", "train.micro_batch=2"}), one, 2e-4);
}

TEST_F(Training, ThePlanOfARecipeIsPrinted) {
  const auto recipe = (source_directory() / "configs/edgen-512.toml").string();
  const auto done = run({{program("evd-train"), "--config", recipe, "--plan", "--ranks", "16",
                          "--ranks-per-node", "8", "--gpu", "a100-80"}});
  EXPECT_EQ(done.code, 0) << done.story();
  for (const char* part : {"610,856,096 parameters", "gradients", "16 x a100-80", "TFLOP a step"}) {
    EXPECT_TRUE(holds(done.out, part)) << done.story();
  }
  EXPECT_EQ(run({{program("evd-train"), "--plan"}}).code, 64);
  EXPECT_EQ(run({{program("evd-train"), "--config", recipe, "--plan", "--gpu", "none"}}).code, 78);
}

TEST_F(Training, NoiseAndLearnedVarianceTrainToo) {
  const auto here =
      campaign("noise", {"diffusion.prediction=noise", "diffusion.learned_variance=true",
                         "network.qk_norm=none", "train.steps_per_round=60"});
  const auto done = train(here, 2);
  ASSERT_EQ(done.code, 0) << done.story();
  const auto steps = steps_of(here, 0);
  EXPECT_NEAR(steps[0].loss, 1.2, 0.3);  // 1 and the bound
  EXPECT_LT(steps.back().loss, 0.95);
}

}  // namespace
}  // namespace evd::test
