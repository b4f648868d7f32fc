#include "data/prompt_source.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/temp_dir.hpp"

namespace evd::data {
namespace {

class Source : public ::testing::Test {
 protected:
  std::vector<RawPrompt> all(const std::string& name, const std::string& text,
                             const PromptColumns& columns = {}) {
    test::write_file(directory_ / name, text);
    const auto source = open_prompts(directory_ / name, columns);
    std::vector<RawPrompt> prompts;
    while (auto raw = source->next()) prompts.push_back(std::move(*raw));
    return prompts;
  }
  test::TempDir directory_;
};

TEST_F(Source, TextIsALineEach) {
  const auto prompts = all("a.txt",
                           "\xef\xbb\xbf"
                           "one\r\n\ntwo");
  ASSERT_EQ(prompts.size(), 3U);
  EXPECT_EQ(prompts[0].text, "one");
  EXPECT_EQ(prompts[1].text, "");
  EXPECT_EQ(prompts[2].text, "two");
  EXPECT_EQ(prompts[2].line, 3);
  EXPECT_FALSE(prompts[0].categories);
}

TEST_F(Source, CsvTakesItsColumns) {
  const auto prompts = all("a.csv",
                           "id,prompt,categories\n1,one,\"human, text\"\n2,two,\n3,three,Multi\n"
                           "4,four,animal\n5\n");
  ASSERT_EQ(prompts.size(), 5U);
  EXPECT_EQ(prompts[0].text, "one");
  EXPECT_EQ(prompts[0].categories, (shard::Categories{true, true, false}));
  EXPECT_FALSE(prompts[1].categories) << "an empty cell gives nothing";
  EXPECT_EQ(prompts[2].categories, (shard::Categories{false, false, true}));
  EXPECT_TRUE(prompts[3].unknown_category);
  EXPECT_FALSE(prompts[3].categories);
  EXPECT_EQ(prompts[4].text, "");
}

TEST_F(Source, TheColumnMayBeNamed) {
  EXPECT_EQ(all("a.csv", "x,y\n1,one\n", {.column = "y", .field = ""})[0].text, "one");
  EXPECT_EQ(all("a.csv", "whatever\none\n")[0].text, "one") << "the only column";
  try {
    all("a.csv", "titel,y\n1,one\n", {.column = "title", .field = ""});
    FAIL();
  } catch (const ConfigurationError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean titel?"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(all("a.csv", "x,y\n1,one\n"), ConfigurationError);
}

TEST_F(Source, JsonLines) {
  const auto prompts = all("a.jsonl",
                           "{\"prompt\": \"o\\u006ee\", \"categories\": "
                           "[\"human\"]}\n\n{\"caption\": \"two\"}\nnot json\n"
                           "{\"prompt\": 3}\n[1]\n{\"prompt\": \"x\", \"categories\": []}\n"
                           "{\"prompt\": \"y\", \"categories\": 3}\n{\"prompt\": \"z\", "
                           "\"categories\": null}\n\"\xff\"\n");
  ASSERT_EQ(prompts.size(), 10U);
  EXPECT_EQ(prompts[0].text, "one");
  EXPECT_EQ(prompts[0].categories, (shard::Categories{true, false, false}));
  EXPECT_EQ(prompts[1].text, "");
  EXPECT_EQ(prompts[1].fault, "");
  EXPECT_EQ(prompts[2].text, "two");
  EXPECT_EQ(prompts[3].fault, "not JSON");
  EXPECT_EQ(prompts[4].fault, "without a field prompt, caption or text");
  EXPECT_EQ(prompts[5].fault, "not JSON");
  EXPECT_EQ(prompts[6].categories, shard::Categories{}) << "given: none of them";
  EXPECT_TRUE(prompts[7].unknown_category);
  EXPECT_FALSE(prompts[8].categories);
  EXPECT_EQ(prompts[9].fault, "") << "told as not UTF-8 by the check";
  EXPECT_EQ(all("b.jsonl", "{\"q\": \"one\"}\n", {.column = "", .field = "q"})[0].text, "one");
}

TEST_F(Source, OtherEndingsAreRefused) {
  EXPECT_THROW(all("a.parquet", "x"), UsageError);
  EXPECT_THROW(static_cast<void>(open_prompts(directory_ / "missing.txt", {})), IoError);
}

TEST_F(Source, AnEndlessLineIsOverLong) {
  const auto prompts = all("a.txt", std::string(3 << 20, 'x') + "\nnext\n");
  ASSERT_EQ(prompts.size(), 2U);
  EXPECT_EQ(prompts[0].fault, "over-long");
  EXPECT_EQ(prompts[1].text, "next");
}

}  // namespace
}  // namespace evd::data
