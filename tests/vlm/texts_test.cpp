#include <gtest/gtest.h>

#include "vlm/answers.hpp"
#include "vlm/json_text.hpp"
#include "vlm/prose.hpp"

namespace evd::vlm {
namespace {

using Texts = std::vector<std::string>;

TEST(Variations, FromJsonListsAndProse) {
  const Texts three = {"a blue dog", "a green cat", "two birds"};
  for (const auto* text :
       {R"({"descriptions":["a blue dog","a green cat","two birds"]})",
        R"(["a blue dog","a green cat","two birds"])",
        "```json\n{\"descriptions\": [\"a blue dog\", \"a green cat\", \"two birds\"]}\n```",
        "1. a blue dog\n2. a green cat\n3. two birds",
        "1) a blue dog\n2) a green cat\n3) two birds",
        "Here are three:\n\n- a blue dog\n- a green cat\n- two birds\n\nEnjoy!",
        "* \"a blue dog\"\n* **a green cat**\n* 'two birds'",
        "\xe2\x80\xa2 a blue dog\n\xe2\x80\xa2 a green cat\n\xe2\x80\xa2 \xe2\x80\x9ctwo "
        "birds\xe2\x80\x9d"})
    EXPECT_EQ(read_variations(text, 3), three) << text;
}

TEST(Variations, AnyCountWorks) {
  for (const int count : {1, 2, 3, 5, 16}) {
    std::string list = "{\"descriptions\":[";
    for (int i = 0; i < 20; ++i) list += (i == 0 ? "\"" : ",\"") + std::to_string(i) + " birds\"";
    EXPECT_EQ(std::ssize(read_variations(list + "]}", count)), count);
  }
  EXPECT_EQ(read_variations(R"({"descriptions":["only one"]})", 3), Texts{"only one"});
}

// The paper's code takes the first character of a bare string as a prompt.
TEST(Variations, ABareStringIsNoList) {
  for (const auto* text : {"\"a blue dog\"", "a blue dog", R"({"descriptions":"a blue dog"})",
                           R"({"descriptions":[1,2,3]})", R"({"descriptions":["a",["b"]]})",
                           R"({"descriptions":[]})", R"({"descriptions":null})", "", "[]",
                           "__import__('os')", "I'm sorry, but I can't help with that."})
    EXPECT_TRUE(read_variations(text, 3).empty()) << text;
}

TEST(Mutation, FromJsonOrOneParagraph) {
  for (const auto* text : {R"({"description":"a blue dog"})", R"({"descriptions":["a blue dog"]})",
                           R"(["a blue dog"])", "```json\n{\"description\":\"a blue dog\"}\n```",
                           "a blue dog", "\"a blue dog\"", "Description: a blue dog",
                           "Here is one:\n\na blue dog\n", "1. a blue dog"})
    EXPECT_EQ(read_mutation(text).value_or("nothing"), "a blue dog") << text;
}

TEST(Mutation, AWholeStringNeverItsFirstCharacter) {
  EXPECT_EQ(read_mutation("\"a blue dog\""), "a blue dog");
}

TEST(Mutation, NonsenseIsNothing) {
  for (const auto* text :
       {"", "{}", "[]", R"({"description":7})", R"({"description":null})", R"(["a","b"])",
        "first line\nsecond line", "<html><body>502</body></html>",
        "I'm sorry, but I cannot help with that.", "{\"description\": \"cut of"})
    EXPECT_FALSE(read_mutation(text).has_value()) << text;
}

TEST(Alignment, FromJsonOrOneNumber) {
  EXPECT_FLOAT_EQ(*read_alignment(R"({"score":85})"), 0.85F);
  EXPECT_FLOAT_EQ(*read_alignment("```\n{\"score\": \"85\"}\n```"), 0.85F);
  EXPECT_FLOAT_EQ(*read_alignment("Score: 85"), 0.85F);
  EXPECT_FLOAT_EQ(*read_alignment("I would give it 85/100."), 0.85F);
  EXPECT_FLOAT_EQ(*read_alignment("0"), 0.0F);
  for (const auto* text :
       {"", R"({"score":101})", R"({"score":-1})", R"({"score":null})", R"({"score":"many"})",
        "between 20 and 30", "500", "<html>502 bad</html>1"})
    EXPECT_FALSE(read_alignment(text).has_value()) << text;
}

TEST(FindJson, OutermostBalancedOnly) {
  const auto found = find_json(R"(x {"a":[1,{"b":"}"}]} y [2] {bad} {"c":1})");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].text, R"({"a":[1,{"b":"}"}]})");
  EXPECT_EQ(found[1].text, "[2]");
  EXPECT_EQ(found[2].text, R"({"c":1})");
}

TEST(Refusals, AreRecognised) {
  EXPECT_TRUE(is_refusal("I'm sorry, but I can't compare these images."));
  EXPECT_TRUE(is_refusal("I\xe2\x80\x99m sorry"));
  EXPECT_FALSE(is_refusal("Image A is better."));
}

}  // namespace
}  // namespace evd::vlm
