#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t pictures(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".png" && content(entry.path()).starts_with("\x89PNG")) ++count;
  return count;
}

class Hands : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    campaign_ = std::make_unique<TinyCampaign>();
    campaign_->run(1);
  }
  static void TearDownTestSuite() { campaign_.reset(); }
  static std::unique_ptr<TinyCampaign> campaign_;
};
std::unique_ptr<TinyCampaign> Hands::campaign_;

TEST_F(Hands, AnyPromptsWithAnyWeights) {
  const TempDir folder;
  write_file(folder / "my.txt", "a red circle\na person in a blue shirt\n");
  const Finished drawn =
      campaign_->stage("evaluate", 1,
                       {"--prompts", (folder / "my.txt").string(), "--checkpoint", "0", "--seeds",
                        "0..2", "--out", (folder / "out").string()});
  ASSERT_EQ(drawn.code, 0) << drawn.out << drawn.err;
  // Two prompts by three seeds, and the contact sheet.
  EXPECT_EQ(pictures(folder / "out"), 7U);
}

TEST_F(Hands, ExportsTheSet) {
  const TempDir folder;
  const Finished csv =
      campaign_->evd("export", {"--set", "0", "--csv", (folder / "set.csv").string()});
  ASSERT_EQ(csv.code, 0) << csv.err;
  const std::string table = content(folder / "set.csv");
  EXPECT_TRUE(table.starts_with("id,")) << table.substr(0, 80);
  // The header, twelve start prompts and six held out.
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 19);
  const Finished lines =
      campaign_->evd("export", {"--set", "0", "--jsonl", (folder / "set.jsonl").string()});
  ASSERT_EQ(lines.code, 0) << lines.err;
  const Finished images =
      campaign_->evd("export", {"--set", "0", "--images", (folder / "images").string()});
  ASSERT_EQ(images.code, 0) << images.err;
  EXPECT_GE(pictures(folder / "images"), 12U);
}

TEST_F(Hands, WritesTheReport) {
  const Finished report = campaign_->evd("report");
  ASSERT_EQ(report.code, 0) << report.err;
  const std::string page = content(campaign_->path() / "report.html");
  EXPECT_NE(page.find("</html>"), std::string::npos);
  EXPECT_EQ(page.find("http://"), page.find("http://www.w3.org"))
      << "the page points at the network";
}

TEST_F(Hands, MayBeMoved) {
  const TempDir elsewhere;
  const fs::path moved = elsewhere / "moved";
  fs::copy(campaign_->path(), moved, fs::copy_options::recursive);
  const Finished verify = run({{program("evd"), "verify", moved.string(), "--deep"}});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
}

}  // namespace
}  // namespace evd::test
