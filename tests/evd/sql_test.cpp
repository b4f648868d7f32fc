// SQL over the tables of a campaign, against what the reader of each file gives.
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "evd/random_campaign.hpp"
#include "sql_campaign.hpp"
#include "sql_database.hpp"

namespace evd::hands {
namespace {

using evd::test::RandomCampaign;
using evd::test::TempDir;
using run::Stage;

using Line = std::vector<std::string>;

std::string text_of(const shard::Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return std::to_string(*real);
  if (const auto* text = std::get_if<std::string_view>(&cell)) return std::string(*text);
  if (const auto* bytes = std::get_if<shard::Blob>(&cell)) return sha256(Bytes(*bytes)).hex();
  return "NULL";
}

// What SQL should show of a member of a row.
template <class T>
std::string expected_text(const T& value) {
  if constexpr (shard::kIsHexId<T>)
    return value.hex();
  else if constexpr (shard::kIsName<T>)
    return value.text;
  else if constexpr (shard::kIsText<T>)
    return value;
  else if constexpr (std::is_floating_point_v<T>)
    return std::to_string(static_cast<double>(value));
  else if constexpr (shard::kIsNumber<T> || shard::kIsBool<T>)
    return std::to_string(static_cast<std::int64_t>(value));
  else
    return std::string(evd::name(value));
}

template <class Row>
Line expected_line(const Row& row) {
  Line line;
  shard::for_each_value(row, [&]<class T>(std::string_view, const T& value, const auto&) {
    if constexpr (!shard::kIsBlob<T>) line.push_back(expected_text(value));
  });
  return line;
}

class Sql : public ::testing::Test {
 protected:
  void open(SqlSources sources = {}) {
    database_.reset();
    campaign_ = std::make_unique<SqlCampaign>(random_.campaign(), sources, problems_);
    database_ = std::make_unique<SqlDatabase>(campaign_->tables());
  }
  std::vector<Line> ask(const std::string& sql) {
    if (!database_) open();
    auto rows = database_->query(sql);
    std::vector<Line> lines;
    while (rows.step()) {
      Line line;
      for (std::size_t i = 0; i < rows.names().size(); ++i) line.push_back(text_of(rows.at(i)));
      lines.push_back(line);
    }
    return lines;
  }
  std::string refusal(const std::string& sql) {
    try {
      static_cast<void>(ask(sql));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "(was not refused)";
  }
  template <class Row>
  void expect_all(const std::string& table, const std::vector<std::filesystem::path>& files) {
    std::vector<Line> expected;
    for (const auto& file : files)
      for (const auto& row : shard::read_table<Row>(file)) expected.push_back(expected_line(row));
    EXPECT_EQ(ask("SELECT * FROM " + table), expected) << table;
  }
  [[nodiscard]] std::filesystem::path file(Stage stage, int round, const std::string& name) const {
    return random_.file({stage, round}, name);
  }

  TempDir directory_;
  RandomCampaign random_{directory_ / "c"};
  Problems problems_;
  std::unique_ptr<SqlCampaign> campaign_;
  std::unique_ptr<SqlDatabase> database_;
};

TEST_F(Sql, StarIsWhatTheReaderGives) {
  using enum Stage;
  expect_all<shard::Sample>("samples", {file(judge, 1, "set.h5")});
  expect_all<shard::Image>(
      "images", {file(harvest, 0, "images-00000.h5"), file(harvest, 0, "images-00001.h5"),
                 file(harvest, 1, "images-00000.h5"), file(harvest, 1, "images-00001.h5")});
  expect_all<shard::Answer>("answers",
                            {file(judge, 0, "answers.h5"), file(judge, 1, "answers.h5")});
  expect_all<shard::Pair>("pairs", {file(judge, 0, "pairs.h5"), file(judge, 1, "pairs.h5")});
  expect_all<shard::Call>("calls", {file(harvest, 0, "calls.h5"), file(harvest, 1, "calls.h5")});
  expect_all<shard::Step>("steps", {file(train, 0, "steps.h5")});
  expect_all<shard::Visit>("visits", {file(train, 0, "visits.h5")});
  expect_all<shard::Block>("blocks", {file(train, 0, "blocks.h5")});
  expect_all<shard::Validation>("validations", {file(train, 0, "validations.h5")});
  expect_all<shard::Metric>("metrics",
                            {file(judge, 0, "metrics.h5"), file(judge, 1, "metrics.h5")});
  EXPECT_EQ(ask("SELECT * FROM prompts").size(), 0U);
  EXPECT_TRUE(problems_.lines().empty());
}

TEST_F(Sql, EachColumnIsReadAloneAndInAnyOrder) {
  open();
  for (auto& table : campaign_->tables())
    for (const auto& column : table.columns()) {
      const std::string name = "\"" + std::string(column.name) + "\"";
      const auto alone = ask("SELECT " + name + " FROM " + table.name());
      const auto among = ask("SELECT rowid, " + name + ", \"round\" FROM " + table.name());
      ASSERT_EQ(alone.size(), among.size());
      for (std::size_t i = 0; i < alone.size(); ++i) ASSERT_EQ(alone[i][0], among[i][1]) << name;
    }
}

TEST_F(Sql, PicturesComeWhenNamed) {
  const auto path = file(Stage::harvest, 0, "images-00000.h5");
  const shard::Table<shard::Image> table(path);
  const auto rows = ask("SELECT bytes, length(bytes) FROM images");
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    const auto bytes = table.blob(i);
    EXPECT_EQ(rows[static_cast<std::size_t>(i)],
              (Line{sha256(Bytes(bytes)).hex(), std::to_string(bytes.size())}));
  }
}

TEST_F(Sql, RowsSayWhichResultTheyAreOf) {
  EXPECT_EQ(ask("SELECT DISTINCT stage, round, result FROM samples"),
            (std::vector<Line>{{"judge", "1", "rounds/0001/judge"}}));
  EXPECT_EQ(ask("SELECT DISTINCT stage, result FROM pairs ORDER BY 2"),
            (std::vector<Line>{{"judge", "rounds/0000/judge"}, {"judge", "rounds/0001/judge"}}));
}

// By hand: the target of each prompt, among all pictures that teachers drew of it.
TEST_F(Sql, PicturesKnowWhetherTheyWonTheirTournament) {
  const auto samples = shard::read_table<shard::Sample>(file(Stage::judge, 1, "set.h5"));
  std::map<SampleId, ImageId> targets;
  for (const auto& sample : samples)
    if (!sample.target_image.is_none()) targets[sample.id] = sample.target_image;
  auto images = shard::read_table<shard::Image>(file(Stage::harvest, 0, "images-00000.h5"));
  for (std::size_t i = 0; i < images.size(); ++i) {
    images[i].prompt_id = samples[i % 20].id;
    if (i % 3 == 0) images[i].id = samples[i % 20].target_image;
  }
  const shard::FileHeader header{random_.campaign().id().hex(), 0, "harvest", "", ""};
  shard::write_table<shard::Image>(file(Stage::harvest, 0, "images-00000.h5"), header, images);
  std::vector<Line> expected;
  for (const auto& image : images) {
    const auto target = targets.find(image.prompt_id);
    const bool judged = target != targets.end() && image.outcome == shard::Outcome::ok &&
                        image.origin != shard::Origin::base;
    expected.push_back({judged ? std::to_string(int{target->second == image.id}) : "NULL"});
  }
  auto found = ask("SELECT won_tournament FROM images");
  found.resize(expected.size());
  EXPECT_EQ(found, expected);
}

TEST_F(Sql, AnOlderSetAndRetiredResultsAreThereWhenAskedFor) {
  SqlSources sources{.set = run::StageRef{Stage::judge, 0}, .retired = Retired::included};
  open(sources);
  EXPECT_EQ(ask("SELECT DISTINCT result FROM samples"), (std::vector<Line>{{"rounds/0000/judge"}}));
  EXPECT_EQ(ask("SELECT count(*) FROM pairs WHERE result LIKE '%.retired-001'"),
            (std::vector<Line>{{std::to_string(RandomCampaign::kRows)}}));
  EXPECT_EQ(ask("SELECT stage, round, state FROM rounds WHERE state = 'retired'"),
            (std::vector<Line>{{"judge", "1", "retired"}}));
  sources.set = run::StageRef{Stage::init, 0};
  open(sources);
  EXPECT_EQ(ask("SELECT prompt FROM samples"), (std::vector<Line>{{"a red ball"}}));
  sources.set = run::StageRef{Stage::judge, 7};
  EXPECT_THROW(open(sources), ConfigurationError);
}

// Lookups by id go through an index; a comparison that cannot use it gives the same rows.
TEST_F(Sql, LookupsFindWhatScansFind) {
  const std::string columns = "a.id, b.id, b.prompt FROM samples a JOIN samples b ON ";
  const auto looked_up = ask("SELECT " + columns + "b.parent = a.id ORDER BY 1, 2");
  const auto scanned = ask("SELECT " + columns + "b.parent || '' = a.id || '' ORDER BY 1, 2");
  EXPECT_EQ(looked_up, scanned);
  EXPECT_EQ(looked_up.size(), RandomCampaign::kRows - 4);
  EXPECT_EQ(ask("SELECT count(*) FROM samples WHERE id = upper(id)"), (std::vector<Line>{{"0"}}));
  EXPECT_EQ(ask("SELECT count(*) FROM samples WHERE id = 7 OR id IS NULL OR id = x'00'"),
            (std::vector<Line>{{"0"}}));
  EXPECT_EQ(ask("SELECT count(*) FROM images WHERE id IN (SELECT id FROM images)"),
            ask("SELECT count(*) FROM images"));
}

TEST_F(Sql, LineageIsOneQuery) {
  const auto last = truncated<SampleId>(sha256("sample 59")).hex();
  std::vector<Line> expected;
  for (int i = 59; i >= 4; i /= 2)
    expected.push_back({truncated<SampleId>(sha256("sample " + std::to_string(i))).hex()});
  expected.push_back({truncated<SampleId>(sha256("sample 3")).hex()});
  EXPECT_EQ(ask("WITH RECURSIVE line(id, parent, step) AS ("
                " SELECT id, parent, 0 FROM samples WHERE id = '" +
                last +
                "'"
                " UNION ALL SELECT s.id, s.parent, step + 1 FROM line JOIN samples s"
                " ON s.id = line.parent) SELECT id FROM line ORDER BY step"),
            expected);
}

TEST_F(Sql, RoundsComeFromTheManifests) {
  EXPECT_EQ(ask("SELECT stage, round, wall_s, cpu_s, gpu_s, done, refused, failed, open,"
                " cost_microusd, ranks, files, software, result FROM rounds WHERE stage = 'train'"),
            (std::vector<Line>{{"train", "0", "12.500000", "20.250000", "0.000000", "7", "2", "1",
                                "0", "1500000", "2", "4", "test", "rounds/0000/train"}}));
  EXPECT_EQ(ask("SELECT count(*) FROM rounds"), (std::vector<Line>{{"6"}}));
}

TEST_F(Sql, OnlyReads) {
  for (const char* sql :
       {"INSERT INTO images(id) VALUES ('x')", "UPDATE samples SET wins = 1", "DELETE FROM pairs",
        "CREATE TABLE t(a)", "CREATE TEMP TABLE t AS SELECT * FROM samples", "DROP TABLE samples",
        "ATTACH '/tmp/x.db' AS x", "PRAGMA writable_schema = 1", "PRAGMA table_info(images)",
        "VACUUM INTO '/tmp/x.db'", "BEGIN", "SELECT load_extension('x')",
        "SELECT * FROM pragma_database_list", "CREATE VIRTUAL TABLE v USING fts5(a)",
        "EXPLAIN INSERT INTO images(id) VALUES ('x')"}) {
    const std::string said = refusal(sql);
    EXPECT_TRUE(said.starts_with("SQL: ")) << sql << ": " << said;
    EXPECT_NE(said.find("a query only reads"), std::string::npos) << sql << ": " << said;
  }
}

TEST_F(Sql, MistakesAreToldWithTheNearestName) {
  EXPECT_NE(refusal("SELECT 1 FROM imagse").find("did you mean images?"), std::string::npos);
  EXPECT_NE(refusal("SELECT s.prmpt FROM samples s").find("did you mean prompt?"),
            std::string::npos);
  EXPECT_NE(refusal("SELECT 1 FROM samples WHERE operation = \"expand\"").find("'single quotes'"),
            std::string::npos);
  EXPECT_NE(refusal("SELECT FROM samples").find("syntax error"), std::string::npos);
  EXPECT_NE(refusal("SELECT 1; SELECT 2").find("one at a time"), std::string::npos);
  EXPECT_NE(refusal("-- nothing").find("no query"), std::string::npos);
  EXPECT_EQ(ask("SELECT 1; -- done"), (std::vector<Line>{{"1"}}));
  EXPECT_NE(refusal("SELECT abs(-9223372036854775808)").find("overflow"), std::string::npos);
}

void flip_byte(const std::filesystem::path& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get() ^ 0x55);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

TEST_F(Sql, ADamagedFileIsLeftOutAndNamed) {
  const auto damaged = file(Stage::harvest, 0, "images-00001.h5");
  std::filesystem::resize_file(damaged, std::filesystem::file_size(damaged) / 2);
  std::filesystem::remove(file(Stage::judge, 0, "pairs.h5"));
  const auto rows = std::to_string(3 * RandomCampaign::kRows);
  EXPECT_EQ(ask("SELECT count(*) FROM images"), (std::vector<Line>{{rows}}));
  EXPECT_EQ(ask("SELECT count(teacher) FROM images"), (std::vector<Line>{{rows}}));
  EXPECT_EQ(ask("SELECT count(*) FROM pairs").at(0).at(0), std::to_string(RandomCampaign::kRows));
  ASSERT_EQ(problems_.lines().size(), 2U);
  EXPECT_TRUE(problems_.lines()[0].starts_with(damaged.string() + ": ")) << problems_.lines()[0];
}

TEST_F(Sql, ADamagedPictureIsNothingAndNamed) {
  const auto path = file(Stage::harvest, 0, "images-00000.h5");
  const auto picture = shard::Table<shard::Image>(path).blob(5);
  const std::string all = evd::test::read_file(path);
  const auto at = all.find({reinterpret_cast<const char*>(picture.data()), picture.size()});
  ASSERT_NE(at, std::string::npos);
  flip_byte(path, at);
  EXPECT_EQ(ask("SELECT count(bytes), count(*) FROM images WHERE result = 'rounds/0000/harvest'"),
            (std::vector<Line>{{std::to_string(2 * RandomCampaign::kRows - 1),
                                std::to_string(2 * RandomCampaign::kRows)}}));
  ASSERT_EQ(problems_.lines().size(), 1U);
  EXPECT_NE(problems_.lines()[0].find("row 5"), std::string::npos) << problems_.lines()[0];
}

TEST_F(Sql, AFileOfAnotherCampaignIsLeftOut) {
  const TempDir other;
  const RandomCampaign foreign(other / "c");
  std::filesystem::copy_file(foreign.file({Stage::judge, 0}, "pairs.h5"),
                             file(Stage::judge, 0, "pairs.h5"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(ask("SELECT count(*) FROM pairs").at(0).at(0), std::to_string(RandomCampaign::kRows));
  ASSERT_EQ(problems_.lines().size(), 1U);
  EXPECT_NE(problems_.lines()[0].find("another campaign"), std::string::npos);
}

}  // namespace
}  // namespace evd::hands
