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
  const auto lines = read_prompts(directory / "p.txt", 100);
  ASSERT_EQ(lines.taken.size(), 4U);
  EXPECT_EQ(lines.taken[0].text, "a cat");
  EXPECT_EQ(lines.taken[1].line, 3U);
  EXPECT_EQ(lines.taken[1].text, "two dogs");
  EXPECT_EQ(lines.taken[3].line, 8U);
  EXPECT_EQ(lines.taken[3].text, "last without end");
  EXPECT_EQ(lines.refused, (std::vector<std::string>{"line 4: not UTF-8", "line 5: too long",
                                                     "line 6: holds control characters"}));
}

TEST(Prompts, AFileWithoutPromptsIsAnError) {
  const test::TempDir directory;
  test::write_file(directory / "p.txt", "\n  \n");
  EXPECT_THROW((void)read_prompts(directory / "p.txt", 100), DataError);
  EXPECT_THROW((void)read_prompts(directory / "missing.txt", 100), IoError);
}

}  // namespace
}  // namespace evd::evaluate
