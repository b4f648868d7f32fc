// evd query and evd export --where as typed, against Python's readers of the same files.
#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "evd/random_campaign.hpp"
#include "support/process.hpp"

namespace evd::test {
namespace {

using run::Stage;

class Query : public ::testing::Test {
 protected:
  Query() : random_(directory_ / "c") {}
  [[nodiscard]] Finished evd(const std::string& verb, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {program("evd"), verb, root()});
    return test::run({.arguments = arguments});
  }
  [[nodiscard]] Finished query(const std::vector<std::string>& arguments) const {
    return evd("query", arguments);
  }
  [[nodiscard]] std::string root() const { return (directory_ / "c").string(); }
  [[nodiscard]] std::string at(const std::string& name) const {
    return (directory_ / name).string();
  }
  static std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  Finished python(const std::string& script, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {test_python(), (source_directory() / "tests/evd" / script).string()});
    return test::run({.arguments = arguments});
  }

  TempDir directory_;
  RandomCampaign random_;
};

TEST_F(Query, TheSameAsPandas) {
  const auto queries =
      "SELECT teacher, outcome, count(*), avg(cost_microusd / 1e12), sum(width / 1e6), max(id)"
      " FROM images GROUP BY 1, 2 ORDER BY 1, 2";
  ASSERT_EQ(query({queries, "--csv", "--out", at("images.csv")}).code, 0);
  const auto pairs =
      "SELECT teacher_a, count(*), avg(margin), sum(verdict = 'a'), min(checkpoint)"
      " FROM pairs WHERE split = 'train' GROUP BY 1 ORDER BY 1";
  ASSERT_EQ(query({pairs, "--csv", "--out", at("pairs.csv")}).code, 0);
  const auto joined =
      "SELECT s.operation, count(*), max(p.prompt) FROM samples s JOIN samples p"
      " ON p.id = s.parent GROUP BY 1 ORDER BY 1";
  ASSERT_EQ(query({joined, "--csv", "--out", at("joined.csv")}).code, 0);
  const auto compared = python("aggregates.py", {root(), directory_.path().string()});
  EXPECT_EQ(compared.code, 0) << compared.story();
  EXPECT_EQ(compared.out, "equal\n");
}

TEST_F(Query, Formats) {
  const auto csv = query({"SELECT id, prompt FROM samples", "--csv"});
  EXPECT_EQ(csv.code, 0) << csv.story();
  EXPECT_TRUE(csv.out.starts_with("id,prompt\n"));
  const auto jsonl = query({"SELECT id, prompt, margin FROM samples", "--jsonl"});
  EXPECT_EQ(lines(jsonl.out), RandomCampaign::kRows);
  std::istringstream objects(jsonl.out);
  const auto samples = shard::read_table<shard::Sample>(random_.file({Stage::judge, 1}, "set.h5"));
  std::string line;
  for (const auto& sample : samples) {
    ASSERT_TRUE(std::getline(objects, line));
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json.at("id"), sample.id.hex());
    EXPECT_EQ(json.at("prompt"), sample.prompt);
    EXPECT_EQ(json.at("margin").get<float>(), sample.margin);
  }
  const auto table = query({"SELECT status, count(*) AS n FROM samples GROUP BY 1"});
  EXPECT_TRUE(table.out.starts_with("status")) << table.story();
  EXPECT_EQ(query({"SELECT 1", "--csv", "--jsonl"}).code, 64);
}

TEST_F(Query, ListsTablesAndColumns) {
  const auto listed = query({"--tables", "--csv"});
  ASSERT_EQ(listed.code, 0) << listed.story();
  for (const char* line :
       {"samples,,,,,a prompt that the campaign has or had\n",
        "images,bytes,BLOB,,no,the encoded picture as it came\n",
        "rounds,cost_microusd,INTEGER,micro-dollar,yes,", "pairs,result,TEXT,,no,"})
    EXPECT_NE(listed.out.find(line), std::string::npos) << line;
  EXPECT_EQ(query({}).code, 64);
  EXPECT_EQ(query({"SELECT 1", "--tables"}).code, 64);
}

TEST_F(Query, MistakesAreUsageErrors) {
  const auto wrong = query({"SELECT techer FROM images"});
  EXPECT_EQ(wrong.code, 64);
  EXPECT_NE(wrong.err.find("did you mean teacher?"), std::string::npos) << wrong.err;
  EXPECT_NE(wrong.err.find("--tables"), std::string::npos) << wrong.err;
  EXPECT_EQ(query({"DELETE FROM images"}).code, 64);
  EXPECT_EQ(query({"SELECT 1", "--set", "9"}).code, 78);
  // What went wrong left no file.
  EXPECT_EQ(query({"SELECT abs(-9223372036854775808)", "--out", at("x.csv")}).code, 64);
  EXPECT_FALSE(std::filesystem::exists(at("x.csv")));
}

TEST_F(Query, DamageIsOneLineAndTheRestIsThere) {
  const auto path = random_.file({Stage::harvest, 0}, "images-00001.h5");
  std::filesystem::resize_file(path, 1000);
  const auto asked = query({"SELECT count(*) FROM images", "--csv"});
  EXPECT_EQ(asked.code, 65) << asked.story();
  EXPECT_EQ(asked.out, "count(*)\n" + std::to_string(3 * RandomCampaign::kRows) + "\n");
  EXPECT_EQ(lines(asked.err), 1U) << asked.err;
  EXPECT_NE(asked.err.find(path.string()), std::string::npos) << asked.err;
  // Nobody asked for that file.
  EXPECT_EQ(query({"SELECT count(*) FROM samples"}).code, 0);
}

TEST_F(Query, ACampaignThatHasJustBegunHasEmptyTables) {
  make_campaign(directory_ / "new");
  for (const char* table : {"images", "answers", "pairs", "calls", "prompts", "steps", "visits",
                            "blocks", "validations", "metrics"}) {
    const auto asked =
        test::run({{program("evd"), "query", at("new"),
                    "SELECT count(*), max(rowid) FROM " + std::string(table), "--csv"}});
    EXPECT_EQ(asked.code, 0) << asked.story();
    EXPECT_EQ(asked.out, "count(*),max(rowid)\n0,\n");
  }
  const auto none = test::run({{program("evd"), "query", at("nowhere"), "SELECT 1"}});
  EXPECT_EQ(none.code, 78) << none.story();
}

TEST_F(Query, ExportTakesAConditionInSql) {
  const std::string where = "category_text AND operation = 'expand' -- a comment";
  const auto exported =
      evd("export", {"--set", "0", "--where", where, "--jsonl", at("some.jsonl")});
  ASSERT_EQ(exported.code, 0) << exported.story();
  std::istringstream rows(read_file(at("some.jsonl")));
  std::string line;
  for (const auto& sample :
       shard::read_table<shard::Sample>(random_.file({Stage::judge, 0}, "set.h5"))) {
    if (!sample.category_text || sample.operation != shard::Operation::expand) continue;
    ASSERT_TRUE(std::getline(rows, line));
    EXPECT_EQ(nlohmann::json::parse(line).at("id"), sample.id.hex());
  }
  EXPECT_FALSE(std::getline(rows, line));
  const auto wrong = evd("export", {"--set", "0", "--where", "colour = 1", "--csv", "-"});
  EXPECT_EQ(wrong.code, 64) << wrong.story();
}

}  // namespace
}  // namespace evd::test
