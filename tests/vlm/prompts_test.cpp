#include "vlm/prompts.hpp"

#include <gtest/gtest.h>

namespace evd::vlm {
namespace {

TEST(Written, IsCheckedAndMadeCanonical) {
  EXPECT_EQ(check_written("  a  red\tcat ", 100).text, "a red cat");
  EXPECT_EQ(check_written("a", 100).drop, Drop::too_short);
  EXPECT_EQ(check_written("ab", 100).drop, Drop::too_short);
  EXPECT_EQ(check_written("abc", 100).drop, Drop::none);
  EXPECT_EQ(check_written(std::string(101, 'a'), 100).drop, Drop::too_long);
  EXPECT_EQ(check_written(" \n ", 100).drop, Drop::blank);
  EXPECT_EQ(check_written("a red\x07 cat", 100).drop, Drop::control_character);
  EXPECT_EQ(check_written("a \xe2\x80\xaered cat", 100).drop, Drop::control_character);
  EXPECT_EQ(check_written("a red \xff", 100).drop, Drop::not_utf8);
  EXPECT_EQ(check_written("\xd7\x97\xd7\xaa\xd7\x95\xd7\x9c", 100).drop, Drop::none);
}

TEST(KnownPrompts, CompareCanonicalAndFolded) {
  KnownPrompts known;
  EXPECT_TRUE(known.add("A red Cat"));
  EXPECT_TRUE(known.contains("a RED cat"));
  EXPECT_FALSE(known.add("a red cat"));
  EXPECT_FALSE(known.contains("a red cap"));
  EXPECT_TRUE(
      known.add("\xc3\x89"
                "cole"));
  EXPECT_TRUE(
      known.contains("\xc3\xa9"
                     "COLE"));
}

}  // namespace
}  // namespace evd::vlm
