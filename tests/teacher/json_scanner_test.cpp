#include "teacher/json_scanner.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace evd::teacher {
namespace {

// All members of an object, by key, as their raw texts.
std::vector<std::pair<std::string, std::string>> members(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> all;
  JsonScanner scanner(text);
  if (!scanner.open('{')) return {{"fault", ""}};
  while (const auto key = scanner.key()) all.emplace_back(*key, scanner.value());
  if (!scanner.complete()) all.emplace_back("fault", "");
  return all;
}

using Members = std::vector<std::pair<std::string, std::string>>;

TEST(JsonScanner, FindsValuesOfEveryKind) {
  EXPECT_EQ(members(R"({"a":1,"b":"x","c":[1,{"d":2}],"e":{"f":[]},"g":null,"h":-1.5e3,"i":true})"),
            (Members{{"a", "1"},
                     {"b", "\"x\""},
                     {"c", "[1,{\"d\":2}]"},
                     {"e", "{\"f\":[]}"},
                     {"g", "null"},
                     {"h", "-1.5e3"},
                     {"i", "true"}}));
  EXPECT_EQ(members("{}"), Members{});
  EXPECT_EQ(members(" \n{ \"a\" :\t1 , \"b\" : [ ] }\r\n "), (Members{{"a", "1"}, {"b", "[ ]"}}));
}

TEST(JsonScanner, QuotesAndBracketsInsideStringsAreText) {
  EXPECT_EQ(members(R"({"a":"}\"]{","b\"c":"\\","d":"\\\""})"),
            (Members{{"a", R"("}\"]{")"}, {R"(b\"c)", R"("\\")"}, {"d", R"("\\\"")"}}));
}

TEST(JsonScanner, EveryPrefixIsAFault) {
  const std::string text = R"({"a":[1,{"b":"c\"d"}],"e":"f","g":null})";
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto found = members(std::string_view(text).substr(0, length));
    ASSERT_FALSE(found.empty()) << length;
    EXPECT_EQ(found.back().first, "fault") << length;
  }
  EXPECT_NE(members(text).back().first, "fault");
}

TEST(JsonScanner, DamageIsAFault) {
  for (const char* text :
       {"[1]", "\"x\"", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{a:1}", "{\"a\":}", "{\"a\":1}}",
        "{\"a\":1} x", "{\"a\":[1}", "{\"a\":{]}", "{,}", "<html>{}</html>", ""}) {
    const auto found = members(text);
    ASSERT_FALSE(found.empty()) << text;
    EXPECT_EQ(found.back().first, "fault") << text;
  }
}

TEST(JsonScanner, DepthIsLimited) {
  const auto nested = [](int depth) {
    return "{\"a\":" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  EXPECT_EQ(members(nested(60)).size(), 1U);
  EXPECT_EQ(members(nested(100'000)).back().first, "fault");
}

TEST(JsonScanner, AgreesWithALibraryOnWhatItWrites) {
  nlohmann::ordered_json value = {{"text", "\"\\\n\t\u00e9\U0001F600/"},
                                  {"list", {1, 2.5, nullptr, {{"x", "y"}}}},
                                  {"empty", nlohmann::json::array()}};
  for (const int indent : {-1, 0, 3})
    for (const bool ascii : {false, true}) {
      const auto found = members(value.dump(indent, ' ', ascii));
      ASSERT_EQ(found.size(), 3U);
      for (const auto& [key, raw] : found) EXPECT_EQ(nlohmann::json::parse(raw), value[key]) << raw;
    }
}

TEST(JsonScanner, Unescapes) {
  EXPECT_EQ(unescape_json(R"(a\/b\u00e9\n)"), "a/b\u00e9\n");
  EXPECT_EQ(unescape_json(R"(\ud83d\ude00)"), "\U0001F600");
  EXPECT_FALSE(unescape_json(R"(\x)"));
  EXPECT_FALSE(unescape_json(R"(\ud83d)"));
  EXPECT_FALSE(unescape_json("a\"b"));
}

TEST(JsonScanner, WholeMeansClosedInOrderAndNotTooDeep) {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  for (const auto& text : {std::string(R"( {"a":["]",{}]} )"), std::string("7"), nested(64)})
    EXPECT_TRUE(is_whole_json(text)) << text;
  for (const auto& text : {std::string(), std::string("[}"), std::string("{\"a\":["),
                           std::string("{} x"), nested(65), nested(1'000'000)})
    EXPECT_FALSE(is_whole_json(text)) << text.substr(0, 80);
}

}  // namespace
}  // namespace evd::teacher
