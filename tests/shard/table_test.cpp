#include "shard/table.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "shard/random_rows.hpp"
#include "shard/training_rows.hpp"
#include "support/temp_dir.hpp"

namespace evd::shard {
namespace {

template <class Row>
class TableOf : public ::testing::Test {};
using Rows = ::testing::Types<Sample, Image, Answer, Pair, Call, Prompt, Step, Visit, Block,
                              Feature, FeatureUse, Metric>;
TYPED_TEST_SUITE(TableOf, Rows);

FileHeader header() {
  return {"0123456789abcdef0123456789abcdef", 3, "judge", "2026-01-02T03:04:05Z", ""};
}

TYPED_TEST(TableOf, GivesBackWhatWasWritten) {
  const evd::test::TempDir dir;
  for (const std::size_t count : {0U, 1U, 7U, 3000U}) {
    const auto rows = test::random_rows<TypeParam>(count, count);
    const auto path = dir / (std::to_string(count) + ".h5");
    const FileEntry entry = write_table<TypeParam>(path, header(), rows);
    EXPECT_EQ(entry.name, path.filename());
    EXPECT_EQ(entry.table, table_name<TypeParam>());
    EXPECT_EQ(entry.rows, static_cast<std::int64_t>(count));
    EXPECT_EQ(entry.bytes, static_cast<std::int64_t>(std::filesystem::file_size(path)));
    const Table<TypeParam> table(path);
    EXPECT_EQ(table.header().round, 3);
    EXPECT_EQ(table.header().stage, "judge");
    EXPECT_EQ(table.header().campaign, header().campaign);
    EXPECT_EQ(table.header().created, header().created);
    const auto back = table.read();
    ASSERT_EQ(back.size(), rows.size());
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(test::difference(rows[i], back[i]), "");
    if constexpr (std::is_same_v<TypeParam, Image>) {
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(table.blob(static_cast<std::int64_t>(i)), rows[i].bytes);
    }
    EXPECT_EQ(content_digest<TypeParam>(back), entry.content);
  }
}

TYPED_TEST(TableOf, SameRowsAndHeaderGiveTheSameBytes) {
  const evd::test::TempDir dir;
  const auto rows = test::random_rows<TypeParam>(500, 1);
  EXPECT_EQ(write_table<TypeParam>(dir / "a.h5", header(), rows).sha256,
            write_table<TypeParam>(dir / "b.h5", header(), rows).sha256);
}

TYPED_TEST(TableOf, ContentDoesNotDependOnTheOrderOfRows) {
  auto rows = test::random_rows<TypeParam>(300, 2);
  // Equal keys, different rows: these too must have one order.
  rows.push_back(rows.front());
  const auto digest = content_digest<TypeParam>(rows);
  const auto order = permutation(Random(5, Purpose::test), static_cast<std::uint32_t>(rows.size()));
  std::vector<TypeParam> shuffled;
  for (const auto i : order) shuffled.push_back(rows[i]);
  EXPECT_EQ(content_digest<TypeParam>(shuffled), digest);
  shuffled.pop_back();
  EXPECT_NE(content_digest<TypeParam>(shuffled), digest);
}

TYPED_TEST(TableOf, ContentSeesEveryColumnThatIsNotVolatile) {
  const auto rows = test::random_rows<TypeParam>(20, 3);
  const auto digest = content_digest<TypeParam>(rows);
  for_each_column<TypeParam>([&](const auto& column) {
    auto changed = rows;
    Random random(99, Purpose::test);
    while (column.of(changed[7]) == column.of(rows[7])) test::fill(column.of(changed[7]), random);
    const bool is_seen = content_digest<TypeParam>(changed) != digest;
    // A picture's bytes stand in by their sha256 column.
    EXPECT_EQ(is_seen, !column.info.is_volatile && column.name != "bytes") << column.name;
  });
}

TEST(Table, ReadsOnlyTheColumnsAskedFor) {
  const evd::test::TempDir dir;
  const auto rows = test::random_rows<Image>(50, 4);
  write_table<Image>(dir / "images.h5", header(), rows);
  static constexpr std::array<std::string_view, 2> kColumns = {"key", "teacher"};
  const auto back = Table<Image>(dir / "images.h5").read(kColumns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(back[i].key, rows[i].key);
    EXPECT_EQ(back[i].teacher, rows[i].teacher);
    EXPECT_EQ(back[i].cost_microusd, Image{}.cost_microusd);
  }
}

template <class Row>
std::string message_of(const std::filesystem::path& path, const std::vector<Row>& rows) {
  try {
    write_table<Row>(path, header(), rows);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Table, RefusesToWriteWhatItCouldNotReadBack) {
  const evd::test::TempDir dir;
  std::vector<Sample> samples(2);
  samples[1].prompt = "half \xc3";
  EXPECT_NE(message_of(dir / "a.h5", samples).find("/prompt: a text is not UTF-8"),
            std::string::npos);
  samples[1].prompt = std::string("a\0b", 3);
  EXPECT_NE(message_of(dir / "a.h5", samples).find("zero byte"), std::string::npos);
  samples[1].prompt.clear();
  samples[1].target_teacher.text.assign(5000, 'x');
  EXPECT_NE(message_of(dir / "a.h5", samples).find("/target_teacher: a word"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(Table, NamesTheTableThatAFileHolds) {
  const evd::test::TempDir dir;
  write_table<Step>(dir / "steps.h5", header(), test::random_rows<Step>(3, 1));
  try {
    Table<Metric> table(dir / "steps.h5");
    FAIL() << "opened";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("holds the table steps, expected metrics"),
              std::string::npos);
  }
}

TEST(Table, MissingFileIsAnIoError) { EXPECT_THROW(Table<Step>("/nonexistent/steps.h5"), IoError); }

}  // namespace
}  // namespace evd::shard
