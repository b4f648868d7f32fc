#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/csv.hpp"
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

// What a JSON value is as text of a CSV cell.
std::string cell_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "nan";
  return value.dump();
}

bool same(const std::string& a, const std::string& b) {
  // Numbers may be spelled in two ways.
  char* end = nullptr;
  const double number = std::strtod(a.c_str(), &end);
  return a == b || (!a.empty() && *end == '\0' && number == std::strtod(b.c_str(), nullptr));
}

// Each line of the one is a row of the other, with the same columns and values.
void expect_same_rows(const fs::path& csv, const fs::path& jsonl) {
  data::CsvReader table(csv);
  std::ifstream lines(jsonl);
  std::string line;
  std::size_t rows = 0;
  while (std::getline(lines, line)) {
    const auto row = nlohmann::json::parse(line);
    const auto record = table.next();
    ASSERT_TRUE(record) << "more lines than rows";
    ASSERT_FALSE(record->malformed) << record->line;
    ASSERT_EQ(record->cells.size(), table.header().size());
    EXPECT_EQ(row.size(), table.header().size());
    for (std::size_t i = 0; i < record->cells.size(); ++i) {
      const auto& name = table.header()[i];
      ASSERT_TRUE(row.contains(name)) << name;
      EXPECT_TRUE(same(record->cells[i], cell_of(row[name])))
          << name << ": " << record->cells[i] << " and " << row[name];
    }
    ++rows;
  }
  EXPECT_EQ(rows, 18U);
  EXPECT_FALSE(table.next()) << "more rows than lines";
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
  expect_same_rows(folder / "set.csv", folder / "set.jsonl");
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
