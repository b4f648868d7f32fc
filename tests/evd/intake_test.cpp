#include "intake.hpp"

#include <gtest/gtest.h>

namespace evd::hands {
namespace {

class IntakeTest : public ::testing::Test {
 protected:
  std::optional<shard::Prompt> take(const std::string& text) {
    return intake_.take({.line = ++line_, .text = text, .categories = {}, .fault = {}});
  }
  [[nodiscard]] std::int64_t count(const std::string& why) const {
    const auto found = intake_.remarks().find(why);
    return found == intake_.remarks().end() ? 0 : found->second.count;
  }
  Intake intake_{run::SetOptions{}};
  std::int64_t line_ = 0;
};

TEST_F(IntakeTest, TakesWhatLanguagesNeed) {
  EXPECT_TRUE(take("a red ball"));
  EXPECT_TRUE(take("ein roter Ball mit Äpfeln"));
  EXPECT_TRUE(take("👩‍🚀 riding a 🐎"));  // joined emoji
  EXPECT_TRUE(take("كرة حمراء"));
  EXPECT_TRUE(take("a sign that reads \"שלום\""));
  EXPECT_EQ(intake_.taken(), 5);
  EXPECT_TRUE(intake_.remarks().empty());
}

TEST_F(IntakeTest, CanonicalFormsAreOnePrompt) {
  const auto first = take("caf\u00e9 at  night");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->text, "caf\u00e9 at night");
  EXPECT_FALSE(take("cafe\u0301 at night")) << "NFC";
  EXPECT_FALSE(take("  caf\u00e9\tat\u00a0night ")) << "white space";
  EXPECT_TRUE(take("Caf\u00e9 at night")) << "letter case is kept: prompts ask for written words";
  EXPECT_EQ(count("duplicate"), 2);
}

TEST_F(IntakeTest, RefusesWithTheReason) {
  EXPECT_FALSE(take(""));
  EXPECT_FALSE(take(" \t "));
  EXPECT_FALSE(take("\xff\xfe broken"));
  EXPECT_FALSE(take("bell \a"));
  EXPECT_FALSE(take(std::string("nul \0 byte", 10)));
  EXPECT_FALSE(take("hidden \u202e order"));
  EXPECT_FALSE(take(std::string(10'000, 'x')));
  EXPECT_EQ(count("blank"), 2);
  EXPECT_EQ(count("not UTF-8"), 1);
  EXPECT_EQ(count("with control characters"), 3);
  EXPECT_EQ(count("over-long"), 1);
  EXPECT_EQ(intake_.lines(), 7);
  EXPECT_EQ(intake_.taken(), 0);
}

// Characters count, not bytes.
TEST_F(IntakeTest, TheLimitCountsCharacters) {
  std::string emoji;
  for (int i = 0; i < 2000; ++i) emoji += "😀";
  EXPECT_TRUE(take(emoji));
  EXPECT_FALSE(take(emoji + "😀"));
}

TEST_F(IntakeTest, RemarksKeepTheFirstLines) {
  for (int i = 0; i < 8; ++i) EXPECT_FALSE(take(""));
  const auto text = intake_.summary("prompts of a.txt");
  EXPECT_NE(text.find("prompts of a.txt: 0 of 8 lines"), std::string::npos) << text;
  EXPECT_NE(text.find("8 blank (lines 1, 2, 3, 4, 5, ...)"), std::string::npos) << text;
}

TEST_F(IntakeTest, CategoriesAreGivenOrDecidedByRules) {
  const auto given = intake_.take({.line = 1,
                                   .text = "a man",
                                   .categories = shard::Categories{false, true, false},
                                   .fault = {}});
  EXPECT_FALSE(given->category_human);
  EXPECT_TRUE(given->category_text);
  EXPECT_EQ(given->category_source, shard::CategorySource::given);
  const auto ruled = take("a woman waving");
  EXPECT_TRUE(ruled->category_human);
  EXPECT_EQ(ruled->category_source, shard::CategorySource::rules);
  EXPECT_NE(intake_.summary("x").find("asking for a human 1, for text 1"), std::string::npos)
      << intake_.summary("x");
  EXPECT_NE(intake_.summary("x").find("1 as given, the rest by rules"), std::string::npos);
}

}  // namespace
}  // namespace evd::hands
