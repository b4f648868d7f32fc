#include "evaluate/part.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "image/image.hpp"
#include "support/temp_dir.hpp"

namespace evd::evaluate {
namespace {

nn::NetworkOptions network() {
  nn::NetworkOptions options;
  options.width = 32;
  options.depth = 1;
  options.head_dim = 16;
  options.caption_width = 16;
  return options;
}

std::vector<Picture> pictures() {
  std::vector<Picture> all(3);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].prompt = "prompt " + std::to_string(i);
    all[i].noise_id = 10 + i;
  }
  return all;
}

class PartTest : public testing::Test {
 protected:
  nn::Generator generator_{5, network(), {}};
  Settings settings_{generator_, {.steps = 2, .batch = 4}, 5, 1, 32};
  test::TempDir directory_;

  std::filesystem::path write(const std::vector<Picture>& of) const {
    const auto path = directory_ / "renders-00000.h5";
    static_cast<void>(shard::write_table<shard::Image>(path, {"", 1, "evaluate", "", ""},
                                                       render_rows(settings_, of)));
    return path;
  }
};

TEST_F(PartTest, RowsCarryTheWeightsTheNoiseAndAPng) {
  const auto rows = render_rows(settings_, pictures());
  ASSERT_EQ(rows.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rows[i].origin, shard::Origin::base);
    EXPECT_EQ(rows[i].teacher.text, "base");
    EXPECT_EQ(rows[i].checkpoint, generator_.checkpoint());
    EXPECT_EQ(rows[i].seed, static_cast<std::int64_t>(10 + i));
    const auto rgb = image::decode(rows[i].bytes);
    EXPECT_EQ(rgb.width, 32);
    EXPECT_EQ(rgb.height, 32);
    EXPECT_EQ(rows[i].sha256, sha256(rows[i].bytes));
  }
  EXPECT_NE(rows[0].bytes, rows[1].bytes);
}

TEST_F(PartTest, AFinishedPartIsRecognised) {
  const auto path = write(pictures());
  const auto entry = finished_part(path, settings_, pictures());
  ASSERT_TRUE(entry.has_value());
  const auto rows = shard::read_table<shard::Image>(path);
  EXPECT_EQ(entry->rows, 3);
  EXPECT_EQ(entry->content, shard::content_digest<shard::Image>(rows));
}

TEST_F(PartTest, OtherWeightsPromptsOrSamplingAreNotThatPart) {
  const auto path = write(pictures());
  const nn::Generator other(6, network(), {});
  EXPECT_FALSE(finished_part(path, {other, settings_.sampler, 5, 1, 32}, pictures()));
  auto sampler = settings_.sampler;
  sampler.steps = 3;
  EXPECT_FALSE(finished_part(path, {generator_, sampler, 5, 1, 32}, pictures()));
  EXPECT_FALSE(finished_part(path, {generator_, settings_.sampler, 5, 2, 32}, pictures()));
  auto fewer = pictures();
  fewer.pop_back();
  EXPECT_FALSE(finished_part(path, settings_, fewer));
  EXPECT_FALSE(finished_part(directory_ / "missing.h5", settings_, pictures()));
}

TEST_F(PartTest, ADamagedPartIsDrawnAgain) {
  const auto path = write(pictures());
  const auto bytes = shard::Table<shard::Image>(path).blob(1);
  std::string content;
  {
    std::ifstream in(path, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  const std::string png(static_cast<const char*>(static_cast<const void*>(bytes.data())),
                        bytes.size());
  content[content.find(png) + 40] ^= 1;
  std::ofstream(path, std::ios::binary) << content;
  EXPECT_FALSE(finished_part(path, settings_, pictures()));
  std::filesystem::resize_file(path, 300);
  EXPECT_FALSE(finished_part(path, settings_, pictures()));
}

}  // namespace
}  // namespace evd::evaluate
