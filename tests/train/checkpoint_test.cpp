#include "train/checkpoint.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/random.hpp"
#include "nn/small_network.hpp"
#include "support/temp_dir.hpp"

namespace evd::train {
namespace {

namespace stdfs = std::filesystem;

const RoundRows& no_steps() {
  static const RoundRows none;
  return none;
}

RoundRows steps(std::int64_t count) {
  RoundRows rows;
  rows.steps.resize(static_cast<std::size_t>(count));
  rows.visits.resize(static_cast<std::size_t>(2 * count));
  rows.blocks.resize(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    rows.steps[at].step = rows.blocks[at].step = i;
    rows.visits[2 * at].step = rows.visits[2 * at + 1].step = i;
    rows.visits[2 * at + 1].place = 1;
  }
  return rows;
}

/// A folder that all ranks see; rank 0's.
class SharedFolder {
 public:
  explicit SharedFolder(const mpi::Communicator& world) : world_(world) {
    if (world.rank() == 0) own_.emplace();
    path_ = world.broadcast(own_ ? own_->path().string() : "", 0);
  }
  ~SharedFolder() { world_.barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  [[nodiscard]] const stdfs::path& path() const { return path_; }

 private:
  const mpi::Communicator& world_;
  std::optional<test::TempDir> own_;
  stdfs::path path_;
};

/// Some of the ranks, which train and resume.
struct Job {
  Job(const mpi::Communicator& world_, const nn::Layout& layout)
      : world(world_), node(world_.node()), sharding(layout, world, node, 1024), state(sharding) {}
  const mpi::Communicator& world;
  mpi::Communicator node;
  Sharding sharding;
  State state;
};

constexpr std::size_t kPieceElements = 3001;  // several pieces, none of whole parameters

class Checkpointing : public testing::Test {
 protected:
  Checkpoints::Setup setup(const std::string& key = "this") const {
    Checkpoints::Setup setup;
    setup.directory = folder.path();
    setup.key = sha256(key);
    setup.header = {std::string(32, 'a'), 0, "train", ""};
    setup.environment = {{"ranks", "some"}};
    setup.piece_elements = kPieceElements;
    return setup;
  }
  Checkpoints checkpoints(const std::string& key = "this") const {
    return Checkpoints(job.sharding, setup(key), log);
  }
  /// Every element of every buffer is a value of its own, whatever the number of ranks.
  static float value_of(Kind kind, std::size_t element, std::int64_t step) {
    return static_cast<float>(element) + 0.25F * static_cast<float>(kind) +
           1e5F * static_cast<float>(step);
  }
  static void fill(State& state, std::int64_t round_step) {
    const auto& sharding = state.sharding();
    for (const auto& parameter : sharding.layout().parameters()) {
      for (std::size_t bucket = 0; bucket < sharding.own().size(); ++bucket) {
        const Range part = sharding.own()[bucket];
        for (std::size_t i = std::max(part.begin, parameter.offset);
             i < std::min(part.end, parameter.offset + parameter.count); ++i) {
          for (const Kind kind : state.kinds()) {
            state.own(kind, bucket)[i - part.begin] = value_of(kind, i, round_step);
          }
        }
      }
    }
    state.fence();
    std::ranges::fill(state.null_text, 0.5F);
    state.counters = {round_step, round_step - 1, round_step};
    state.guard = {{0.1F, 0.3F}, {round_step - 1}, {1, 2}};
  }
  static void expect_filled(const State& state, std::int64_t round_step) {
    const auto& sharding = state.sharding();
    for (const auto& parameter : sharding.layout().parameters()) {
      for (std::size_t i = parameter.offset; i < parameter.offset + parameter.count; ++i) {
        ASSERT_EQ(state.weights()[i], value_of(Kind::master, i, round_step)) << i;
      }
      for (std::size_t bucket = 0; bucket < sharding.own().size(); ++bucket) {
        const Range part = sharding.own()[bucket];
        for (std::size_t i = std::max(part.begin, parameter.offset);
             i < std::min(part.end, parameter.offset + parameter.count); ++i) {
          for (const Kind kind : state.kinds()) {
            ASSERT_EQ(state.own(kind, bucket)[i - part.begin], value_of(kind, i, round_step));
          }
        }
      }
    }
    EXPECT_EQ(state.null_text.front(), 0.5F);
    EXPECT_EQ(state.counters.round_step, round_step);
    EXPECT_EQ(state.counters.updates, round_step - 1);
    EXPECT_EQ(state.guard.norms, (std::vector<float>{0.1F, 0.3F}));
    EXPECT_EQ(state.guard.in_row, std::vector<std::int64_t>{round_step - 1});
    EXPECT_EQ(state.guard.skipped, (std::vector<std::int64_t>{1, 2}));
  }
  void save(Checkpoints& where, std::int64_t round_step) {
    fill(job.state, round_step);
    where.save(job.state, steps(round_step));
  }
  /// The step of the newest checkpoint; -1 = none.
  std::int64_t newest_step(Checkpoints& where) {
    State state(job.sharding);
    return where.newest(state) ? state.counters.round_step : -1;
  }
  [[nodiscard]] stdfs::path at(std::int64_t round_step) const {
    return folder.path() / "state" / ("step-00000000" + std::to_string(round_step));
  }
  /// Rank 0 changes a file between two barriers.
  void once(const std::function<void()>& change) const {
    world.barrier();
    if (world.rank() == 0) change();
    world.barrier();
  }
  static void flip(const stdfs::path& file) {
    std::string bytes = test::read_file(file);
    bytes[bytes.size() - 3] ^= 1;
    test::write_file(file, bytes);
  }
  [[nodiscard]] std::size_t kept() const {
    world.barrier();
    return static_cast<std::size_t>(std::distance(
        stdfs::directory_iterator(folder.path() / "state"), stdfs::directory_iterator{}));
  }

  const mpi::Communicator world = mpi::Communicator::world();
  SharedFolder folder{world};
  const nn::Layout layout{nn::test::small_network(), nn::DiffusionOptions{}};
  Job job{world, layout};
  Log log{"test", 0};
};

TEST_F(Checkpointing, ComeBackToTheBit) {
  auto here = checkpoints();
  EXPECT_EQ(newest_step(here), -1);
  save(here, 4);
  State back(job.sharding);
  const auto resumed = here.newest(back);
  ASSERT_TRUE(resumed);
  expect_filled(back, 4);
  EXPECT_EQ(resumed->rows.steps.size(), world.rank() == 0 ? 4U : 0U);
  EXPECT_EQ(resumed->rows.visits.size(), world.rank() == 0 ? 8U : 0U);
  EXPECT_EQ(resumed->rows.blocks.size(), world.rank() == 0 ? 4U : 0U);
}

// A job that was told to stop in the validation behind the last step, and goes on.
TEST_F(Checkpointing, ResultsHaveWhatCameAfterTheLastCheckpoint) {
  {
    auto before = checkpoints();
    save(before, 5);
  }
  auto here = checkpoints();
  ASSERT_TRUE(here.newest(job.state));
  RoundRows rows = steps(5);
  rows.validations.resize(1);
  static_cast<void>(here.finish(job.state, world.rank() == 0 ? rows : no_steps()));
  const auto back = here.newest(job.state);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->rows.validations.size(), world.rank() == 0 ? 1U : 0U);
  expect_filled(job.state, 5);
}

TEST_F(Checkpointing, AFreshStateForgetsWhatItWas) {
  const auto load = [&] { return nn::start_weights(layout, 3); };
  State untouched(job.sharding);
  start_fresh(untouched, load);
  fill(job.state, 4);
  start_fresh(job.state, load);
  EXPECT_TRUE(std::ranges::equal(job.state.weights(), untouched.weights()));
  for (const Kind kind : job.state.kinds()) {
    for (std::size_t bucket = 0; bucket < job.sharding.own().size(); ++bucket) {
      EXPECT_TRUE(std::ranges::equal(job.state.own(kind, bucket), untouched.own(kind, bucket)))
          << name_of(kind) << ", bucket " << bucket;
    }
  }
  EXPECT_EQ(job.state.null_text, untouched.null_text);
  EXPECT_EQ(job.state.counters.updates, 0);
  EXPECT_EQ(job.state.counters.round_step, 0);
  EXPECT_TRUE(job.state.guard.norms.empty());
  EXPECT_TRUE(job.state.guard.skipped.empty());
}

TEST_F(Checkpointing, AnotherWorldSizeReadsThem) {
  auto here = checkpoints();
  save(here, 4);
  const auto index = at(4) / CheckpointIndex::kName;
  // Each rank by itself, then the first half of the ranks together.
  for (const int color : {world.rank(), world.rank() < (world.size() + 1) / 2 ? 0 : 1}) {
    const auto some = world.split(color);
    Job other(some, layout);
    restore_checkpoint(other.state, at(4), read_index(index).content());
    expect_filled(other.state, 4);
    // And writes the same bytes.
    SharedFolder elsewhere(some);
    auto there = setup();
    there.directory = elsewhere.path();
    Checkpoints again(other.sharding, there, log);
    again.save(other.state, steps(4));
    EXPECT_EQ(read_index(elsewhere.path() / "state" / at(4).filename() / CheckpointIndex::kName)
                  .content(),
              read_index(index).content());
    some.barrier();
  }
}

TEST_F(Checkpointing, TrainingGoesOnWhileOneIsWritten) {
  auto here = checkpoints();
  fill(job.state, 2);
  here.begin(job.state, steps(2));
  fill(job.state, 3);  // what was taken does not change any more
  for (int i = 0; i < 20; ++i) here.poll();
  here.begin(job.state, steps(3));
  here.save(job.state, steps(3));
  State back(job.sharding);
  ASSERT_TRUE(here.newest(back));
  expect_filled(back, 3);
  once([&] { stdfs::remove_all(at(3)); });
  ASSERT_TRUE(here.newest(back));
  expect_filled(back, 2);
}

TEST_F(Checkpointing, WithoutRoomForASnapshotTheyAreWrittenPieceByPiece) {
  auto tight = setup();
  tight.snapshot_bytes = 0;
  Checkpoints here(job.sharding, tight, log);
  fill(job.state, 2);
  here.begin(job.state, steps(2));
  for (std::size_t piece = 0; piece * kPieceElements < layout.trained(); ++piece) {
    EXPECT_TRUE(stdfs::exists(at(2) / Pieces::file_name(Kind::ema0, piece)) || world.size() > 1);
  }
  fill(job.state, 3);
  here.save(job.state, steps(3));
  State back(job.sharding);
  once([&] { stdfs::remove_all(at(3)); });
  ASSERT_TRUE(here.newest(back));
  expect_filled(back, 2);
}

TEST_F(Checkpointing, KeepTheNewest) {
  auto here = checkpoints();
  for (const std::int64_t step : {2, 4, 6, 9}) save(here, step);
  EXPECT_EQ(kept(), 2U);
  EXPECT_EQ(newest_step(here), 9);
}

// Bug: states of other settings counted among the newest, and the new ones were removed.
TEST_F(Checkpointing, ThoseOfOtherSettingsDoNotPushOutNewOnes) {
  auto before = checkpoints("other");
  save(before, 8);
  save(before, 9);
  auto here = checkpoints();
  EXPECT_EQ(newest_step(here), -1);
  save(here, 2);
  EXPECT_EQ(newest_step(here), 2);
}

TEST_F(Checkpointing, WithoutAnIndexThereIsNone) {
  auto here = checkpoints();
  save(here, 2);
  save(here, 4);
  once([&] { stdfs::remove(at(4) / CheckpointIndex::kName); });
  EXPECT_EQ(newest_step(here), 2);
  EXPECT_EQ(kept(), 1U);
}

// Bug: a file system that failed for a moment cost all states, they were taken for damaged.
TEST_F(Checkpointing, WhatCannotBeReadIsKept) {
  const auto alone = world.split(world.rank());  // a rank that throws ends its job
  Job own(alone, layout);
  const test::TempDir own_folder;
  auto own_setup = setup();
  own_setup.directory = own_folder.path();
  Checkpoints here(own.sharding, own_setup, log);
  for (const std::int64_t step : {2, 4}) {
    fill(own.state, step);
    here.save(own.state, steps(step));
  }
  const auto newest = own_folder.path() / "state" / at(4).filename();
  for (const std::string part : {"index.json", "steps.h5", "exp_avg-00000.safetensors"}) {
    const auto file = newest / part;
    stdfs::rename(file, own_folder.path() / "away");
    stdfs::create_directory(file);  // opens, and reading it is an error
    EXPECT_THROW((void)here.newest(own.state), IoError) << part;
    stdfs::remove(file);
    stdfs::rename(own_folder.path() / "away", file);
  }
  ASSERT_TRUE(here.newest(own.state));
  EXPECT_EQ(own.state.counters.round_step, 4);
}

TEST_F(Checkpointing, GoesBackToWhatHasFewerUpdatesAndForgetsTheRest) {
  auto wide = setup("this");
  wide.keep = 10;
  Checkpoints here(job.sharding, wide, log);
  for (const std::int64_t round_step : {2, 4, 6, 8}) save(here, round_step);
  // round_step 5 would have 4 updates, 4 has 3.
  const auto resumed = here.roll_back(job.state, 4);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(job.state.counters.round_step, 4);
  EXPECT_EQ(resumed->rows.steps.size(), world.rank() == 0 ? 4U : 0U);
  once([&] {
    EXPECT_FALSE(stdfs::exists(at(6)));
    EXPECT_FALSE(stdfs::exists(at(8)));
    EXPECT_TRUE(stdfs::exists(at(2)));
  });
  EXPECT_FALSE(here.roll_back(job.state, 0));
  EXPECT_EQ(newest_step(here), -1);
}

TEST_F(Checkpointing, AFlippedByteInAnyFileIsFoundAndKept) {
  auto here = checkpoints();
  save(here, 2);
  save(here, 4);
  const auto aside = folder.path() / "state/set-aside-001";
  for (const std::string name :
       {"master-00000.safetensors", "exp_avg-00001.safetensors", "exp_avg_sq-00000.safetensors",
        "ema0-00001.safetensors", "null_text.safetensors", "steps.h5", "visits.h5", "blocks.h5",
        "validations.h5"}) {
    once([&] { flip(at(4) / name); });
    EXPECT_EQ(newest_step(here), 2) << name;
    once([&] {
      ASSERT_TRUE(stdfs::exists(aside / name)) << name;
      flip(aside / name);
      stdfs::rename(aside, at(4));
    });
  }
  EXPECT_EQ(newest_step(here), 4);
}

// RLIMIT_FSIZE stands for a disk that is full.
TEST_F(Checkpointing, AFullDiskCostsThatCheckpointOnly) {
  auto here = checkpoints();
  save(here, 2);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{1000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  fill(job.state, 4);
  here.begin(job.state, steps(4));
  fill(job.state, 5);
  EXPECT_THROW(here.save(job.state, steps(5)), IoError);  // the last one must be there
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(newest_step(here), 2);
  EXPECT_EQ(kept(), 1U) << "what was begun takes no room";
  save(here, 6);
  EXPECT_EQ(newest_step(here), 6);
}

TEST_F(Checkpointing, ADamagedCheckpointOfTheRoundBeforeIsRefused) {
  auto here = checkpoints();
  save(here, 4);
  const auto content = read_index(at(4) / CheckpointIndex::kName).content();
  once([&] { flip(at(4) / "master-00001.safetensors"); });
  EXPECT_THROW(restore_checkpoint(job.state, at(4), content), DataError);
  EXPECT_THROW(restore_checkpoint(job.state, at(4), sha256("another")), DataError);
}

TEST_F(Checkpointing, AnotherNetworkIsRefused) {
  auto here = checkpoints();
  save(here, 4);
  auto wider = nn::test::small_network();
  wider.qk_norm = nn::QkNorm::cross;  // the same tensors
  const nn::Layout other_layout(wider, nn::DiffusionOptions{});
  Job other(world, other_layout);
  const auto content = read_index(at(4) / CheckpointIndex::kName).content();
  EXPECT_THROW(restore_checkpoint(other.state, at(4), content), DataError);
}

// A second life publishes the same results with another date and may be killed between two files.
TEST_F(Checkpointing, ResultsPublishedAgainAreStillACheckpoint) {
  auto here = checkpoints();
  fill(job.state, 5);
  const auto first = here.finish(job.state, steps(5));
  auto later_setup = setup();
  later_setup.header.created = "2030-01-02T03:04:05Z";
  Checkpoints later(job.sharding, later_setup, log);
  State back(job.sharding);
  const auto resumed = later.newest(back);
  ASSERT_TRUE(resumed);
  const auto again = later.finish(back, world.rank() == 0 ? resumed->rows : no_steps());
  ASSERT_EQ(again.size(), first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(again[i].name, first[i].name);
    EXPECT_EQ(again[i].content, first[i].content) << first[i].name;
  }
}

TEST_F(Checkpointing, ResultsAreACheckpointToGoOnFrom) {
  auto here = checkpoints();
  save(here, 2);
  fill(job.state, 5);
  const auto published = here.finish(job.state, steps(5));
  EXPECT_EQ(kept(), 1U);
  EXPECT_EQ(newest_step(here), 5);
  if (world.rank() != 0) {
    EXPECT_TRUE(published.empty());
    return;
  }
  const std::size_t pieces = (layout.trained() + kPieceElements - 1) / kPieceElements;
  EXPECT_EQ(published.size(), 4 * pieces + 7);  // null text, index, four tables, model.safetensors
  for (const auto& file : published) {
    EXPECT_EQ(static_cast<std::uintmax_t>(file.bytes), stdfs::file_size(folder.path() / file.name));
  }
  const auto model = nn::read_model(folder.path() / "model.safetensors", layout);
  for (const auto& parameter : layout.parameters()) {
    for (std::size_t i = parameter.offset; i < parameter.offset + parameter.count; ++i) {
      ASSERT_EQ(model.flat[i], value_of(Kind::ema0, i, 5));
    }
  }
}

}  // namespace
}  // namespace evd::train
