#include "data/members.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "data/targets.hpp"
#include "shard/identity.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/temp_dir.hpp"

namespace evd::data {
namespace {

constexpr int kImages = 6;

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

/// A campaign with one published image file and a set whose members point into it.
class TargetsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto harvest = directory_ / "rounds" / "0000" / "harvest";
    std::filesystem::create_directories(harvest);
    std::vector<shard::Image> rows(kImages);
    for (int i = 0; i < kImages; ++i) {
      rows[at(i)].key = RequestKey(sha256(std::to_string(i)).bytes());
      rows[at(i)].teacher = {"alpha"};
      rows[at(i)].bytes = image::encode_png(
          {64, 48, std::vector<std::uint8_t>(64 * 48 * 3, static_cast<std::uint8_t>(40 * i))});
      rows[at(i)].sha256 = sha256(rows[at(i)].bytes);
      rows[at(i)].id = shard::image_id(rows[at(i)].key, rows[at(i)].sha256);
    }
    const shard::FileHeader header{"", 0, "harvest", "", ""};
    shard::Manifest manifest;
    manifest.stage = "harvest";
    manifest.files = {shard::write_table<shard::Image>(harvest / "images-00000.h5", header, rows)};
    manifest.content = shard::content_of(manifest.files);
    shard::publish_manifest(harvest, manifest);
    images_ = harvest / "images-00000.h5";
    shard_ = manifest.files[0].sha256;
  }

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  shard::Sample sample(int i) const {
    shard::Sample sample;
    sample.prompt = "prompt " + std::to_string(i);
    sample.id = shard::sample_id(sample.prompt, 64, 48);
    sample.status = shard::Status::member;
    sample.target_shard = shard_;
    sample.target_row = i;
    return sample;
  }

  std::filesystem::path write_set(const std::vector<shard::Sample>& samples) const {
    const auto path = directory_ / "set.h5";
    static_cast<void>(shard::write_table<shard::Sample>(path, {"", 0, "judge", "", ""}, samples));
    return path;
  }

  test::TempDir directory_;
  std::filesystem::path images_;
  Sha256 shard_;
};

TEST_F(TargetsTest, MembersComeInIdOrderAndOthersStayOut) {
  std::vector<shard::Sample> samples;
  for (int i = 0; i < kImages; ++i) samples.push_back(sample(i));
  samples[1].status = shard::Status::waiting;
  samples[2].status = shard::Status::removed;
  samples[3].status = shard::Status::heldout;
  const auto members = read_members(write_set(samples));
  ASSERT_EQ(members.size(), 3U);
  EXPECT_LT(members[0].id, members[1].id);
  EXPECT_LT(members[1].id, members[2].id);
}

TEST_F(TargetsTest, LoadsTheTargetOfEachMember) {
  const auto members = read_members(write_set({sample(2), sample(5)}));
  const shard::Catalog catalog(directory_.path());
  const Targets targets(catalog, members, 16);
  for (std::size_t i = 0; i < 2; ++i) {
    const image::Rgb rgb = targets.load(i);
    EXPECT_EQ(rgb.width, 16);
    EXPECT_EQ(rgb.height, 16);
    EXPECT_EQ(rgb.pixels[0], 40 * members[i].target.row);
  }
}

TEST_F(TargetsTest, AMemberWithoutTargetIsNamed) {
  auto broken = sample(0);
  broken.target_row = -1;
  const auto path = write_set({broken, sample(1)});
  const auto said = message([&] { (void)read_members(path); });
  EXPECT_NE(said.find(path.string()), std::string::npos) << said;
  EXPECT_NE(said.find(broken.id.hex()), std::string::npos) << said;
}

TEST_F(TargetsTest, ADamagedTargetNamesFileAndSample) {
  const auto members = read_members(write_set({sample(3)}));
  const shard::Catalog catalog(directory_.path());
  std::string content;
  {
    std::ifstream in(images_, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  // The pixels of row 3, somewhere in the compressed stream.
  const std::string png(
      static_cast<const char*>(static_cast<const void*>(catalog.bytes({shard_, 3}).data())),
      catalog.bytes({shard_, 3}).size());
  content[content.find(png) + png.size() / 2] ^= 0x21;
  std::ofstream(images_, std::ios::binary) << content;

  const shard::Catalog again(directory_.path());
  const auto said = message([&] { (void)Targets(again, members, 16).load(0); });
  EXPECT_NE(said.find("images-00000.h5 row 3"), std::string::npos) << said;
  EXPECT_NE(said.find(members[0].id.hex()), std::string::npos) << said;
}

TEST_F(TargetsTest, AMissingFileNamesTheSample) {
  auto lost = sample(0);
  lost.target_shard = sha256("no such file");
  const auto members = read_members(write_set({lost}));
  const shard::Catalog catalog(directory_.path());
  const auto said = message([&] { (void)Targets(catalog, members, 16).load(0); });
  EXPECT_NE(said.find(lost.id.hex()), std::string::npos) << said;
  EXPECT_NE(said.find(lost.target_shard.hex()), std::string::npos) << said;
}

}  // namespace
}  // namespace evd::data
