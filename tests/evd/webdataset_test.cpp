// Archives of evd export --webdataset, read by Python's tarfile and by tar.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evd/random_campaign.hpp"
#include "export_targets.hpp"
#include "support/process.hpp"
#include "tar_writer.hpp"

namespace evd::test {
namespace {

using run::Stage;

// A campaign whose samples have real targets.
class WebDataset : public ::testing::Test {
 protected:
  WebDataset() : random_(directory_ / "c") {
    const run::StageRef harvest{Stage::harvest, 0};
    const auto manifest = random_.campaign().manifest(harvest).value();
    const auto images = shard::read_table<shard::Image>(random_.file(harvest, "images-00000.h5"));
    samples_ = shard::test::random_rows<shard::Sample>(20, 3);
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      samples_[i].target_shard = i < 4 ? Sha256{} : manifest.files[0].sha256;
      samples_[i].target_row = static_cast<std::int32_t>(i);
    }
  }
  // The reader prints what a training loop would see: id, extension, bytes and prompt of a sample.
  [[nodiscard]] std::string seen(const std::vector<std::filesystem::path>& archives) const {
    std::vector<std::string> arguments = {
        test_python(), (source_directory() / "tests/evd/webdataset.py").string()};
    for (const auto& archive : archives) arguments.push_back(archive.string());
    const auto read = test::run({.arguments = arguments});
    EXPECT_EQ(read.code, 0) << read.story();
    return read.out;
  }
  [[nodiscard]] std::string expected() const {
    std::string text;
    hands::Problems problems;
    hands::for_each_target(random_.campaign(), samples_, problems, [&](const auto& target) {
      text += target.sample.id.hex() + " " + target.extension.substr(1) + " " +
              sha256(Bytes(target.bytes)).hex() + " " + sha256(target.sample.prompt).hex() + "\n";
    });
    EXPECT_TRUE(problems.lines().empty());
    return text;
  }

  TempDir directory_;
  RandomCampaign random_;
  std::vector<shard::Sample> samples_;
};

TEST_F(WebDataset, PythonSeesEverySample) {
  hands::Problems problems;
  const auto path = directory_ / "out.tar";
  EXPECT_EQ(hands::export_webdataset(random_.campaign(), samples_, path, 1U << 30, problems), 16U);
  EXPECT_EQ(seen({path}), expected());
  const auto listed = run({{"tar", "--list", "--file", path.string()}});
  EXPECT_EQ(listed.code, 0) << listed.story();
  EXPECT_EQ(std::count(listed.out.begin(), listed.out.end(), '\n'), 48);
}

TEST_F(WebDataset, MuchGoesIntoSeveralArchives) {
  hands::Problems problems;
  const auto path = directory_ / "out.tar";
  EXPECT_EQ(hands::export_webdataset(random_.campaign(), samples_, path, 10'000, problems), 16U);
  EXPECT_FALSE(std::filesystem::exists(path));
  std::vector<std::filesystem::path> archives;
  for (int i = 0; std::filesystem::exists(directory_ / format("out-%06d.tar", i)); ++i) {
    archives.push_back(directory_ / format("out-%06d.tar", i));
    EXPECT_LT(std::filesystem::file_size(archives.back()), 25'000U);
  }
  EXPECT_GT(archives.size(), 2U);
  EXPECT_EQ(seen(archives), expected());
}

TEST_F(WebDataset, TheSameSamplesGiveTheSameBytes) {
  hands::Problems problems;
  for (const char* name : {"a.tar", "b.tar"})
    hands::export_webdataset(random_.campaign(), samples_, directory_ / name, 1U << 30, problems);
  EXPECT_EQ(read_file(directory_ / "a.tar"), read_file(directory_ / "b.tar"));
}

TEST_F(WebDataset, AsTyped) {
  const auto path = directory_ / "typed.tar";
  const auto done = run({{program("evd"), "export", random_.campaign().root().string(), "--set",
                          "init", "--webdataset", path.string()}});
  EXPECT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.err.find("0 samples have a picture"), std::string::npos) << done.story();
  EXPECT_EQ(seen({path}), "");
}

TEST(TarWriter, RefusesWhatUstarCannotHold) {
  hands::TarWriter tar;
  EXPECT_THROW(tar.add(std::string(101, 'x'), {}), InternalError);
}

}  // namespace
}  // namespace evd::test
