#include <gtest/gtest.h>

#include "core/error.hpp"
#include "evaluate/prompts.hpp"
#include "support/temp_dir.hpp"

namespace evd::evaluate {
namespace {

using Seeds = std::vector<std::uint64_t>;

TEST(Seeds, RangesListsAndSingleNumbers) {
  EXPECT_EQ(parse_seeds("0..3"), (Seeds{0, 1, 2, 3}));
  EXPECT_EQ(parse_seeds("7"), (Seeds{7}));
  EXPECT_EQ(parse_seeds("9,1,4"), (Seeds{9, 1, 4}));
  EXPECT_EQ(parse_seeds("1..3,2,8"), (Seeds{1, 2, 3, 8}));
}

TEST(Seeds, AnythingElseIsAUsageError) {
  for (const char* text : {"", "x", "1..", "..3", "3..1", "0..1000", "-1", "1.5", "99999999999"})
    EXPECT_THROW((void)parse_seeds(text), UsageError) << text;
}

TEST(Checkpoint, IsARoundOrStart) {
  EXPECT_EQ(parse_checkpoint("start"), run::kStartRound);
  EXPECT_EQ(parse_checkpoint("12"), 12);
  for (const char* text : {"", "last", "-1", "2x"})
    EXPECT_THROW((void)parse_checkpoint(text), UsageError) << text;
}

TEST(Prompts, BadLinesAreNamedAndTheOthersTaken) {
  const test::TempDir directory;
  test::write_file(directory / "p.txt", "a cat\n\n  two   dogs \r\n\xff\xfe\n" +
                                            std::string(500, 'x') +
                                            "\na\x01 b\nمربع أزرق\nlast without end");
  const auto lines = read_prompts(directory / "p.txt", {}, 100);
  ASSERT_EQ(lines.taken.size(), 4U);
  EXPECT_EQ(lines.taken[0].text, "a cat");
  EXPECT_EQ(lines.taken[1].line, 3);
  EXPECT_EQ(lines.taken[1].text, "two dogs");
  EXPECT_EQ(lines.taken[3].line, 8);
  EXPECT_EQ(lines.taken[3].text, "last without end");
  EXPECT_EQ(data::text_of(lines.remarks),
            "  1 blank (line 2)\n  1 not UTF-8 (line 4)\n  1 over-long (line 5)\n"
            "  1 with control characters (line 6)\n");
}

TEST(Prompts, AFileWithoutPromptsIsAnError) {
  const test::TempDir directory;
  test::write_file(directory / "p.txt", "\n  \n");
  EXPECT_THROW((void)read_prompts(directory / "p.txt", {}, 100), DataError);
  EXPECT_THROW((void)read_prompts(directory / "missing.txt", {}, 100), IoError);
}

TEST(Prompts, TablesAreReadAsTheyAreByInit) {
  const test::TempDir directory;
  test::write_file(directory / "p.csv", "id,said\n1,\"a cat, asleep\"\n2,\n3,two dogs\n");
  const auto csv = read_prompts(directory / "p.csv", {.column = "said", .field = ""}, 100);
  ASSERT_EQ(csv.taken.size(), 2U);
  EXPECT_EQ(csv.taken[0].text, "a cat, asleep");
  EXPECT_EQ(csv.taken[1].line, 4);
  EXPECT_EQ(data::text_of(csv.remarks), "  1 blank (line 3)\n");
  test::write_file(directory / "p.jsonl", "{\"q\": \"a cat\"}\nrubbish\n");
  const auto json = read_prompts(directory / "p.jsonl", {.column = "", .field = "q"}, 100);
  ASSERT_EQ(json.taken.size(), 1U);
  EXPECT_EQ(data::text_of(json.remarks), "  1 not JSON (line 2)\n");
  EXPECT_THROW((void)read_prompts(directory / "p.csv", {}, 100), ConfigurationError);
  test::write_file(directory / "p.parquet", "PAR1");
  EXPECT_THROW((void)read_prompts(directory / "p.parquet", {}, 100), UsageError);
}

}  // namespace
}  // namespace evd::evaluate
