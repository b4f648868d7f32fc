#include "data/features.hpp"

#include <cmath>
#include <fstream>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/half.hpp"
#include "data/feature_key.hpp"
#include "fs/file.hpp"
#include "shard/table.hpp"
#include "support/temp_dir.hpp"

namespace evd::data {
namespace {

using evd::test::TempDir;
using shard::Feature;
using shard::FeatureKind;

const shard::FileHeader kHeader{"0123456789abcdef0123456789abcdef", 0, "train", "", ""};

shard::Blob blob(const std::vector<std::uint16_t>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

std::uint16_t bfloat16(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

Feature text(int tokens, float value) {
  Feature row;
  row.tokens = tokens;
  row.channels = 2;
  row.bytes =
      blob(std::vector<std::uint16_t>(static_cast<std::size_t>(tokens) * 2, bfloat16(value)));
  return row;
}

// Mean 1, deviation 0.5.
Feature latent(int height, int width) {
  Feature row;
  row.kind = FeatureKind::latent;
  row.channels = 3;
  row.height = height;
  row.width = width;
  const auto plane = static_cast<std::size_t>(3 * height * width);
  std::vector<std::uint16_t> values(plane, 0x3c00);
  values.resize(2 * plane, 0x3800);
  row.bytes = blob(values);
  return row;
}

TEST(Half, EveryValueIsTheOneOfItsBits) {
  EXPECT_EQ(from_half(0x3c00), 1.0F);
  EXPECT_EQ(from_half(0xc000), -2.0F);
  EXPECT_EQ(from_half(0x7bff), 65504.0F);
  EXPECT_EQ(from_half(0x0001), std::ldexp(1.0F, -24));
  EXPECT_EQ(from_half(0x03ff), std::ldexp(1023.0F, -24));
  EXPECT_TRUE(std::signbit(from_half(0x8000)));
  EXPECT_TRUE(std::isinf(from_half(0x7c00)));
  EXPECT_TRUE(std::isnan(from_half(0x7e00)));
  for (int exponent = 1; exponent < 31; ++exponent)
    for (const int fraction : {0, 1, 511, 1023})
      EXPECT_EQ(from_half(static_cast<std::uint16_t>(exponent << 10 | fraction)),
                std::ldexp(1024.0F + static_cast<float>(fraction), exponent - 25));
  EXPECT_EQ(from_bfloat16(0x3f80), 1.0F);
}

TEST(FeatureKey, EverythingThatChangesTheBitsChangesTheKey) {
  const TextEncoding encoding{sha256("t5"), "float32", 120};
  std::set<std::string> keys = {text_key("a cat", encoding).hex()};
  EXPECT_EQ(text_key("a cat", encoding).hex(), *keys.begin());
  keys.insert(text_key("a cat ", encoding).hex());
  keys.insert(text_key("a cat", {sha256("t6"), "float32", 120}).hex());
  keys.insert(text_key("a cat", {sha256("t5"), "bfloat16", 120}).hex());
  keys.insert(text_key("a cat", {sha256("t5"), "float32", 119}).hex());
  const auto image = sha256("image");
  keys.insert(latent_key(image, {1, 512, 512}, {sha256("vae"), 0}).hex());
  keys.insert(latent_key(sha256("other"), {1, 512, 512}, {sha256("vae"), 0}).hex());
  keys.insert(latent_key(image, {1, 512, 256}, {sha256("vae"), 0}).hex());
  keys.insert(latent_key(image, {1, 256, 512}, {sha256("vae"), 0}).hex());
  keys.insert(latent_key(image, {1, 512, 512}, {sha256("vaf"), 0}).hex());
  keys.insert(latent_key(image, {1, 512, 512}, {sha256("vae"), 256}).hex());
  EXPECT_EQ(keys.size(), 11U);
}

class FeatureFile : public testing::Test {
 protected:
  FeatureFile() {
    shard::write_table<Feature>(texts, kHeader, std::vector{text(1, 1.5F), text(3, -2.0F)});
    shard::write_table<Feature>(latents, kHeader, std::vector{latent(2, 4), latent(4, 2)});
  }
  [[nodiscard]] FeatureFiles open() const { return FeatureFiles(std::vector{texts, latents}); }

  TempDir folder;
  std::filesystem::path texts = folder / "texts-00000.h5";
  std::filesystem::path latents = folder / "latents-00000.h5";
};

TEST_F(FeatureFile, SamplesAreWhatWasWritten) {
  const FeatureFiles files(std::vector{texts, latents});
  const FeatureSamples samples(files, {{{0, 1}, {0, 0}}, {{1, 0}, {1, 1}}}, 2, 3, nullptr);
  const auto first = samples.load(0);
  EXPECT_EQ(first.tokens, 3);
  EXPECT_EQ(first.text, std::vector<float>(6, -2.0F));
  EXPECT_EQ(first.height, 2);
  EXPECT_EQ(first.width, 4);
  EXPECT_EQ(first.picture, std::vector<float>(24, 1.0F));
  EXPECT_EQ(first.deviation, std::vector<float>(24, 0.5F));
  const auto second = samples.load(1);
  EXPECT_EQ(second.tokens, 1);
  EXPECT_EQ(second.height, 4);
}

// Longer than what is read at once, and no multiple of it.
TEST_F(FeatureFile, ALongRowIsReadToItsEnd) {
  Feature row = text(100'001, 0);
  std::vector<std::uint16_t> values(200'002);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = bfloat16(static_cast<float>(i % 251));
  row.bytes = blob(values);
  shard::write_table<Feature>(texts, kHeader, std::vector{row});
  const auto read = FeatureFiles(std::vector{texts}).text({0, 0}, 2);
  EXPECT_EQ(read.tokens, 100'001);
  EXPECT_EQ(read.states, from_bfloat16s(values));
  EXPECT_EQ(read.states.at(200'001), 200'001 % 251);
}

TEST_F(FeatureFile, ADamagedRowIsToldAndTheOthersStay) {
  auto content = fs::read_bytes(texts);
  const auto bytes = text(3, -2.0F).bytes;
  const auto at = std::search(content.begin(), content.end(), bytes.begin(), bytes.end());
  ASSERT_NE(at, content.end());
  at[5] ^= std::byte{4};
  std::ofstream(texts, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  const FeatureFiles files(std::vector{texts});
  EXPECT_EQ(files.text({0, 0}, 2).tokens, 1);
  try {
    static_cast<void>(files.text({0, 1}, 2));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("texts-00000.h5: row 1: checksum"), std::string::npos);
  }
}

TEST_F(FeatureFile, AFeatureOfAnotherKindOrWidthIsRefused) {
  const FeatureFiles files(std::vector{texts, latents});
  EXPECT_THROW((void)files.text({1, 0}, 3), DataError);
  EXPECT_THROW((void)files.text({0, 0}, 4), DataError);
  EXPECT_THROW((void)files.latents({1, 0}, 4), DataError);
  EXPECT_THROW((void)files.text({0, 2}, 2), DataError);
}

TEST_F(FeatureFile, BytesThatAreNotAsManyAsTheShapeSaysAreRefused) {
  auto wrong = latent(2, 2);
  wrong.height = 3;
  shard::write_table<Feature>(latents, kHeader, std::vector{latent(2, 2), wrong});
  EXPECT_THROW(FeatureFiles(std::vector{latents}), DataError);
}

// More files than are held open at once, from several threads.
TEST_F(FeatureFile, ThousandsOfFilesNeedNoThousandsOfDescriptors) {
  std::vector<std::filesystem::path> paths;
  for (int i = 0; i < 600; ++i) {
    paths.push_back(folder / ("texts-" + std::to_string(i) + ".h5"));
    std::filesystem::create_hard_link(texts, paths.back());
  }
  const FeatureFiles files(paths);
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 600; ++i)
        good += files.text({(i * 7 + t * 151) % 600, 1}, 2).states[0] == -2.0F ? 1 : 0;
    });
  threads.clear();
  EXPECT_EQ(good, 2400);
  std::size_t open = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++open;
  EXPECT_LT(open, 350U);
}

}  // namespace
}  // namespace evd::data
