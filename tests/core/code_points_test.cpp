#include "core/code_points.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"

namespace evd {
namespace {

TEST(CodePointsOfText, ComeBackAsTheyWere) {
  const std::string text = "a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x90\x88\x7F";
  EXPECT_EQ(decoded(text), U"a\u00E9\u4E2D\U0001F408\u007F");
  EXPECT_EQ(encoded(decoded(text)), text);
}

// One for each sequence that could have gone on, as Unicode recommends and Python does.
TEST(CodePointsOfText, HaveReplacementsForWhatIsNoUtf8) {
  EXPECT_EQ(decoded("\xE4\xB8"
                    "a"),
            U"\uFFFDa");
  EXPECT_EQ(decoded("\xF0\x9F\x90"), U"\uFFFD");
  EXPECT_EQ(decoded("\xC0\xAF"), U"\uFFFD\uFFFD");
  EXPECT_EQ(decoded("\xED\xA0\x80"), U"\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(decoded("\xF4\x90\x80\x80"), U"\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  for (int lead = 0; lead < 256; ++lead)
    for (int next = 0; next < 256; ++next)
      EXPECT_TRUE(
          is_utf8(encoded(decoded(std::string{static_cast<char>(lead), static_cast<char>(next)}))));
}

TEST(CodePointsOfText, CountAsInPython) {
  for (const char32_t c : std::u32string(U"aZ0_\u00E9\u4E2D\u00BD\u2163\u0663"))
    EXPECT_TRUE(is_word(c)) << static_cast<std::uint32_t>(c);
  for (const char32_t c : {U'-', U'\u0301', U'\u200B', U'\U0001F408'}) EXPECT_FALSE(is_word(c));
  for (const char32_t c : {U' ', U'\n', U'\x1C', U'\u00A0', U'\u3000'}) EXPECT_TRUE(is_space(c));
  EXPECT_FALSE(is_space(U'\u200B'));
  EXPECT_TRUE(is_digit(U'\u0663'));
  EXPECT_FALSE(is_digit(U'\u00B2'));
}

TEST(CodePointsOfText, AreLoweredByWords) {
  EXPECT_EQ(lowered(U"\u039F\u0394\u039F\u03A3 \u03A3\u0391 \u03A3"),
            U"\u03BF\u03B4\u03BF\u03C2 \u03C3\u03B1 \u03C3");
  EXPECT_EQ(lowered(U"\u0130A"), U"i\u0307a");
}

TEST(CodePointsOfText, AreNormalised) {
  EXPECT_EQ(normalised(U"e\u0301 \uFB01", NormalForm::nfc), U"\u00E9 \uFB01");
  EXPECT_EQ(normalised(U"e\u0301 \uFB01", NormalForm::nfkc), U"\u00E9 fi");
}

}  // namespace
}  // namespace evd
