#include "shard/verify.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "shard/manifest.hpp"
#include "shard/random_rows.hpp"
#include "support/temp_dir.hpp"

namespace evd::shard {
namespace {

using evd::test::read_file;
using evd::test::TempDir;
using evd::test::write_file;

class Verify : public ::testing::Test {
 protected:
  Verify() {
    const FileHeader header{"c", 2, "harvest", "2026-01-02T03:04:05Z", ""};
    auto images = test::random_rows<Image>(30, 1);
    for (auto& image : images) image.outcome = image.bytes.empty() ? Outcome::refused : Outcome::ok;
    for (const auto& image : images) pictures_ += image.bytes.empty() ? 0 : 1;
    manifest_.stage = "harvest";
    manifest_.files = {
        write_table<Image>(dir_ / "images-00000.h5", header, images),
        write_table<Call>(dir_ / "calls.h5", header, test::random_rows<Call>(40, 2))};
    write_file(dir_ / "weights.bin", "weights");
    manifest_.files.push_back({"weights.bin", "", 0, 7, sha256("weights"), sha256("weights")});
    publish();
  }
  void publish() {
    manifest_.content = content_of(manifest_.files);
    publish_manifest(dir_.path(), manifest_);
  }
  [[nodiscard]] Verified verify(Depth depth, const DecodePicture& decode = {}) const {
    return verify_directory(dir_.path(), depth, decode);
  }
  // The only problem; fails the test when there is another number of them.
  [[nodiscard]] std::string problem(Depth depth) const {
    const auto found = verify(depth).problems;
    EXPECT_EQ(found.size(), 1U) << ::testing::PrintToString(found);
    return found.empty() ? "" : found[0];
  }

  TempDir dir_;
  Manifest manifest_;
  std::int64_t pictures_ = 0;
};

TEST_F(Verify, AWholeResultHasNoProblems) {
  const auto sums = verify(Depth::sums);
  EXPECT_TRUE(sums.problems.empty()) << ::testing::PrintToString(sums.problems);
  EXPECT_EQ(sums.files, 3);
  EXPECT_EQ(sums.rows, 0);
  std::int64_t decoded = 0;
  const auto deep = verify(Depth::deep, [&](const Image&, Bytes bytes) {
    EXPECT_FALSE(bytes.empty());
    ++decoded;
  });
  EXPECT_TRUE(deep.problems.empty()) << ::testing::PrintToString(deep.problems);
  EXPECT_EQ(deep.rows, 70);
  EXPECT_EQ(deep.pictures, pictures_);
  EXPECT_EQ(decoded, pictures_);
}

TEST_F(Verify, AMissingManifestOrFileIsTold) {
  std::filesystem::remove(dir_ / "calls.h5");
  EXPECT_EQ(problem(Depth::sums), (dir_ / "calls.h5").string() + ": missing");
  std::filesystem::remove(dir_ / "MANIFEST.json");
  EXPECT_NE(problem(Depth::sums).find("no MANIFEST.json"), std::string::npos);
}

TEST_F(Verify, AFlippedByteIsToldWhereverItIs) {
  const auto whole = read_file(dir_ / "calls.h5");
  Random random(1, Purpose::test);
  for (int i = 0; i < 50; ++i) {
    auto damaged = whole;
    damaged[random.below(damaged.size())] ^= 0x10;
    write_file(dir_ / "calls.h5", damaged);
    const auto found = verify(Depth::deep).problems;
    ASSERT_FALSE(found.empty());
    EXPECT_NE(found[0].find("calls.h5: its SHA-256"), std::string::npos) << found[0];
  }
}

TEST_F(Verify, ATruncatedFileAndOthersAreAllTold) {
  const auto whole = read_file(dir_ / "calls.h5");
  write_file(dir_ / "calls.h5", whole.substr(0, whole.size() / 2));
  write_file(dir_ / "weights.bin", "weightz");
  const auto found = verify(Depth::deep).problems;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].find("calls.h5: " + std::to_string(whole.size() / 2) + " bytes, the manifest"),
            std::string::npos);
  EXPECT_NE(found[1].find("weights.bin: its SHA-256"), std::string::npos);
}

TEST_F(Verify, AManifestThatDisagreesWithItsFilesIsTold) {
  manifest_.files[1].rows = 41;
  publish();
  EXPECT_NE(problem(Depth::sums).find("40 rows, the manifest says 41"), std::string::npos);
  manifest_.files[1].rows = 40;
  manifest_.files[1].content = sha256("other");
  publish();
  EXPECT_TRUE(verify(Depth::sums).problems.empty());
  EXPECT_NE(problem(Depth::deep).find("calls.h5: its content digest"), std::string::npos);
  manifest_.files[1].table = "dreams";
  publish();
  EXPECT_NE(problem(Depth::sums).find("unknown table dreams"), std::string::npos);
}

TEST_F(Verify, APictureThatDoesNotDecodeIsTold) {
  int count = 0;
  const auto found = verify(Depth::deep, [&](const Image&, Bytes) {
                       if (++count == 3) throw DataError("not a picture");
                     }).problems;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].find("images-00000.h5: row"), std::string::npos);
  EXPECT_NE(found[0].find("not a picture"), std::string::npos);
}

TEST(VerifyPictures, OutcomeAndDigestMustFitTheBytes) {
  const TempDir dir;
  std::vector<Image> images(3);
  images[0].outcome = Outcome::ok;  // and no bytes
  images[1].outcome = Outcome::refused;
  images[1].bytes.resize(4);
  images[1].sha256 = sha256(Bytes(images[1].bytes));
  images[2].bytes.resize(5);
  images[2].sha256 = sha256("others");
  Manifest manifest;
  manifest.files = {write_table<Image>(dir / "images.h5", {"c", 0, "harvest", "", ""}, images)};
  manifest.content = content_of(manifest.files);
  publish_manifest(dir.path(), manifest);
  const auto found = verify_directory(dir.path(), Depth::deep).problems;
  ASSERT_EQ(found.size(), 3U);
  EXPECT_NE(found[0].find("row 0: no picture although its outcome is ok"), std::string::npos);
  EXPECT_NE(found[1].find("row 1: a picture although its outcome is not ok"), std::string::npos);
  EXPECT_NE(found[2].find("row 2: its sha256 is not that of its bytes"), std::string::npos);
}

}  // namespace
}  // namespace evd::shard
