#include "data/csv.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/temp_dir.hpp"

namespace evd::data {
namespace {

using Cells = std::vector<std::string>;

class Csv : public ::testing::Test {
 protected:
  CsvReader open(const std::string& text) {
    test::write_file(directory_ / "a.csv", text);
    return CsvReader(directory_ / "a.csv");
  }
  test::TempDir directory_;
};

TEST_F(Csv, QuotesCommasAndLineEnds) {
  auto csv = open(
      "\xef\xbb\xbf"
      "file, caption\r\na.png,plain\r\nb.png,\"one, \"\"two\"\"\nthree\"\r\n,\n");
  EXPECT_EQ(csv.header(), (Cells{"file", "caption"}));
  EXPECT_EQ(csv.column("caption"), 1U);
  EXPECT_EQ(csv.column("nothing"), std::nullopt);
  EXPECT_EQ(csv.next()->cells, (Cells{"a.png", "plain"}));
  const auto quoted = csv.next();
  EXPECT_EQ(quoted->cells, (Cells{"b.png", "one, \"two\"\nthree"}));
  EXPECT_EQ(quoted->line, 3);
  const auto empty = csv.next();
  EXPECT_EQ(empty->cells, (Cells{"", ""}));
  EXPECT_EQ(empty->line, 5);
  EXPECT_FALSE(csv.next());
}

TEST_F(Csv, TheLastLineNeedsNoEnd) {
  auto csv = open("a\nlast");
  EXPECT_EQ(csv.next()->cells, Cells{"last"});
  EXPECT_FALSE(csv.next());
}

// A quote that never ends costs its own line only.
TEST_F(Csv, AnOpenQuoteDoesNotSwallowTheRest) {
  auto csv = open("a\nfirst\n\"open\nsecond\nthird\n");
  EXPECT_EQ(csv.next()->cells, Cells{"first"});
  const auto broken = csv.next();
  EXPECT_TRUE(broken->malformed);
  EXPECT_EQ(broken->line, 3);
  EXPECT_EQ(csv.next()->cells, Cells{"second"});
  const auto third = csv.next();
  EXPECT_EQ(third->cells, Cells{"third"});
  EXPECT_EQ(third->line, 5);
  EXPECT_FALSE(csv.next());
}

TEST_F(Csv, TextBehindAQuoteIsMalformed) {
  auto csv = open("a,b\n\"x\"y,z\nfine,z\n");
  EXPECT_TRUE(csv.next()->malformed);
  EXPECT_EQ(csv.next()->cells, (Cells{"fine", "z"}));
}

TEST_F(Csv, AnEndlessLineIsCut) {
  auto csv = open("a\n" + std::string(3 << 20, 'x') + "\nnext\n");
  EXPECT_TRUE(csv.next()->cut);
  const auto next = csv.next();
  EXPECT_EQ(next->cells, Cells{"next"});
  EXPECT_EQ(next->line, 3);
}

TEST_F(Csv, AnEmptyFileHasNoHeader) {
  EXPECT_THROW(open(""), DataError);
  EXPECT_THROW(open("\"open\n"), DataError);
  EXPECT_THROW(CsvReader(directory_ / "missing.csv"), IoError);
  EXPECT_THROW(CsvReader(directory_.path()), IoError);
}

}  // namespace
}  // namespace evd::data
