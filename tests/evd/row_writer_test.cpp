#include "row_writer.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::hands {
namespace {

using shard::Cell;

std::string written(RowFormat format, const std::vector<std::string>& names,
                    const std::vector<std::vector<Cell>>& rows) {
  std::ostringstream out;
  const auto writer = make_row_writer(format, out, names);
  for (const auto& row : rows) writer->row(row);
  writer->finish();
  return out.str();
}

Cell text(std::string_view value) { return Cell(value); }
Cell bytes(std::string_view value) {
  const auto all = as_bytes(value);
  return shard::Blob(all.begin(), all.end());
}

TEST(RowWriter, Csv) {
  EXPECT_EQ(written(RowFormat::csv, {"a", "b,c"},
                    {{text("say \"hi\"\nand go"), Cell(0.1)}, {Cell(), bytes("\x01\xff")}}),
            "a,\"b,c\"\n\"say \"\"hi\"\"\nand go\",0.1\n,Af8=\n");
  EXPECT_EQ(written(RowFormat::csv, {"a"}, {{Cell()}}), "a\n\"\"\n");
}

TEST(RowWriter, JsonLines) {
  EXPECT_EQ(written(RowFormat::jsonl, {"a", "b"},
                    {{text("x\n\"\u6f22"), Cell(std::int64_t{1} << 62)},
                     {Cell(), Cell(std::numeric_limits<double>::infinity())},
                     {text("\xff"), bytes("hi")}}),
            "{\"a\":\"x\\n\\\"\u6f22\",\"b\":4611686018427387904}\n{\"a\":null,\"b\":null}\n"
            "{\"a\":\"\ufffd\",\"b\":\"aGk=\"}\n");
  EXPECT_EQ(written(RowFormat::jsonl, {"a"}, {}), "");
  EXPECT_THROW(written(RowFormat::jsonl, {"id", "id"}, {}), UsageError);
}

TEST(RowWriter, TableIsAlignedAndSafeForATerminal) {
  EXPECT_EQ(written(RowFormat::table, {"teacher", "n"},
                    {{text("\u6f22"), Cell(std::int64_t{5})},
                     {text("aurora"), Cell(1234.56789)},
                     {text("\x1b[2J\n\xff"), Cell()},
                     {bytes("abc"), Cell(std::int64_t{7})}}),
            "teacher              n\n"
            "\u6f22                    5\n"
            "aurora         1234.57\n"
            "\\x1b[2J\\n\\xff\n"
            "<3 B>                7\n");
  const std::string shown = written(RowFormat::table, {"a"}, {{text(std::string(200, 'x'))}});
  EXPECT_EQ(shown, "a\n" + std::string(77, 'x') + "...\n");
}

TEST(RowWriter, ManyRowsDoNotPileUp) {
  std::ostringstream out;
  const auto writer = make_row_writer(RowFormat::table, out, {"n"});
  for (std::int64_t i = 0; i < 25'000; ++i) {
    const std::vector<Cell> row = {Cell(i)};
    writer->row(row);
  }
  EXPECT_GT(out.str().size(), 20'000U);
  writer->finish();
  const std::string all = out.str();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 25'001);
}

}  // namespace
}  // namespace evd::hands
