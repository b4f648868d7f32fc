#include "train/checkpoint.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/random.hpp"
#include "fs/temporary_name.hpp"
#include "support/temp_dir.hpp"

namespace evd::train {
namespace {

nn::NetworkOptions small() {
  nn::NetworkOptions n;
  n.input_size = 8;
  n.patch = 4;
  n.width = 16;
  n.depth = 1;
  n.head_dim = 8;
  n.caption_width = 6;
  n.max_tokens = 3;
  return n;
}

class Checkpointing : public testing::Test {
 protected:
  Checkpoints checkpoints(const std::string& key = "this") {
    return Checkpoints(folder.path(), layout, sha256(key), {std::string(32, 'a'), 0, "train", ""},
                       2, log);
  }
  State state_at(std::int64_t round_step) {
    State state = fresh_state(layout, nn::start_weights(layout, 3));
    Random(1, Purpose::test, 7, static_cast<std::uint64_t>(round_step))
        .fill_normal(state.first_moment.values().first(20));
    state.round_step = state.step = round_step;
    state.updates = round_step - 1;
    state.skipped_in_row = 1;
    return state;
  }
  static std::vector<shard::Step> steps(std::int64_t count) {
    std::vector<shard::Step> rows(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].step = static_cast<std::int64_t>(i);
    return rows;
  }
  void save(Checkpoints& where, std::int64_t round_step) {
    where.save(state_at(round_step), steps(round_step));
  }
  [[nodiscard]] std::string flip(const std::string& file) const {
    std::string bytes = evd::test::read_file(folder / file);
    bytes[bytes.size() - 3] ^= 1;  // of the last tensor
    evd::test::write_file(folder / file, bytes);
    return bytes;
  }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "state")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  evd::test::TempDir folder;
  nn::Layout layout{small(), nn::DiffusionOptions{}};
  Log log{"test", 0};
};

TEST_F(Checkpointing, ComesBackToTheBit) {
  auto here = checkpoints();
  EXPECT_FALSE(here.newest());
  save(here, 4);
  const auto back = here.newest();
  ASSERT_TRUE(back);
  const State expected = state_at(4);
  EXPECT_TRUE(std::ranges::equal(back->state.weights.values(), expected.weights.values()));
  EXPECT_TRUE(
      std::ranges::equal(back->state.first_moment.values(), expected.first_moment.values()));
  EXPECT_EQ(back->state.null_text, expected.null_text);
  EXPECT_EQ(back->state.step, 4);
  EXPECT_EQ(back->state.updates, 3);
  EXPECT_EQ(back->state.skipped_in_row, 1);
  EXPECT_EQ(back->steps.size(), 4U);
}

TEST_F(Checkpointing, KeepsTheNewest) {
  auto here = checkpoints();
  for (const std::int64_t step : {2, 4, 6, 10}) save(here, step);
  EXPECT_EQ(files(), 6U);
  EXPECT_EQ(here.newest()->state.round_step, 10);
}

// Bug: states of other settings counted among the newest, and the new ones were removed.
TEST_F(Checkpointing, StatesOfOtherSettingsDoNotPushOutNewOnes) {
  auto before = checkpoints("other");
  save(before, 8);
  save(before, 9);
  auto here = checkpoints();
  EXPECT_FALSE(here.newest());
  save(here, 2);
  const auto back = here.newest();
  ASSERT_TRUE(back);
  EXPECT_EQ(back->state.round_step, 2);
}

TEST_F(Checkpointing, AStateWithoutItsIndexIsNone) {
  auto here = checkpoints();
  save(here, 2);
  save(here, 4);
  std::filesystem::remove(folder / "state/step-000000004.json");
  EXPECT_EQ(here.newest()->state.round_step, 2);
}

// Bug: a file system that failed for a moment cost all states, they were taken for damaged.
TEST_F(Checkpointing, WhatCannotBeReadIsKept) {
  auto here = checkpoints();
  save(here, 2);
  save(here, 4);
  for (const char* part : {".json", ".h5", ".safetensors"}) {
    const auto file = folder / ("state/step-000000004" + std::string(part));
    std::filesystem::rename(file, folder / "away");
    std::filesystem::create_directory(file);  // opens, and reading it is an error
    EXPECT_THROW((void)here.newest(), IoError) << part;
    std::filesystem::remove(file);
    std::filesystem::rename(folder / "away", file);
  }
  EXPECT_EQ(here.newest()->state.round_step, 4);
}

TEST_F(Checkpointing, WhatIsDamagedIsSetAsideAndKept) {
  auto here = checkpoints();
  save(here, 2);
  save(here, 4);
  const std::string damaged = flip("state/step-000000004.safetensors");
  EXPECT_EQ(here.newest()->state.round_step, 2);
  EXPECT_EQ(evd::test::read_file(folder / "state/set-aside-001/step-000000004.safetensors"),
            damaged);
  EXPECT_EQ(files(), 3U);
  save(here, 4);
  EXPECT_EQ(here.newest()->state.round_step, 4);
}

// Bug: the states of killed lives collected.
TEST_F(Checkpointing, WhatAKilledLifeLeftIsRemoved) {
  auto here = checkpoints();
  save(here, 2);
  const std::string left = ".step-000000004.safetensors.tmp." + fs::host_name() + ".999999999.1";
  evd::test::write_file(folder / "state" / left, "half");
  EXPECT_TRUE(here.newest());
  EXPECT_EQ(files(), 3U);
}

// Bug: of a finished round without a manifest only header and key were looked at, so a flipped byte
// went out with fresh digests.
TEST_F(Checkpointing, ADamagedResultIsNoStateToGoOnFrom) {
  auto here = checkpoints();
  static_cast<void>(here.finish(state_at(5), steps(5)));
  static_cast<void>(flip("state.safetensors"));
  EXPECT_FALSE(here.newest());
  save(here, 2);
  EXPECT_EQ(here.newest()->state.round_step, 2);
}

// A second life publishes the same results with another date and may be killed between two files.
TEST_F(Checkpointing, ResultsPublishedAgainAreStillAState) {
  auto here = checkpoints();
  static_cast<void>(here.finish(state_at(5), steps(5)));
  const std::string index = evd::test::read_file(folder / "state.json");
  Checkpoints later(folder.path(), layout, sha256("this"),
                    {std::string(32, 'a'), 0, "train", "2030-01-02T03:04:05Z"}, 2, log);
  const auto back = later.newest();
  ASSERT_TRUE(back);
  static_cast<void>(later.finish(back->state, back->steps));
  EXPECT_EQ(evd::test::read_file(folder / "state.json"), index);
}

TEST_F(Checkpointing, ResultsAreAStateToGoOnFrom) {
  auto here = checkpoints();
  save(here, 2);
  const auto published = here.finish(state_at(5), steps(5));
  ASSERT_EQ(published.size(), 3U);
  EXPECT_FALSE(std::filesystem::exists(folder / "state"));
  EXPECT_EQ(here.newest()->state.round_step, 5);
  for (const auto& file : published) {
    EXPECT_EQ(static_cast<std::uintmax_t>(file.bytes),
              std::filesystem::file_size(folder / file.name));
  }
  const auto model = nn::read_model(folder / "model.safetensors", layout);
  EXPECT_TRUE(std::ranges::equal(model.flat, state_at(5).average.values()));
}

}  // namespace
}  // namespace evd::train
