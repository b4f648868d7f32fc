#include "teacher/foreign_text.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"

namespace evd::teacher {
namespace {

TEST(ForeignText, IsOneCleanLine) {
  using namespace std::string_view_literals;
  EXPECT_EQ(foreign_text("aurora-1 é 猫"sv, 200), "aurora-1 é 猫");
  EXPECT_EQ(foreign_text("a\0b\nc\x1b[31m\x7f"sv, 200), "a b c [31m ");
  EXPECT_EQ(foreign_text("a\xc2\x9b"sv, 200), "a ") << "a C1 control is one, too";
  EXPECT_EQ(foreign_text("a\xff\xc3"sv, 200), "a??");
  EXPECT_EQ(foreign_text("", 200), "");
}

TEST(ForeignText, IsCutBetweenCharacters) {
  const std::string cats = "猫猫猫";
  for (std::size_t limit = 0; limit < 12; ++limit) {
    const auto cut = foreign_text(cats, limit);
    EXPECT_TRUE(is_utf8(cut));
    EXPECT_EQ(cut.size(), std::min<std::size_t>(limit / 3 * 3, 9));
  }
  EXPECT_EQ(foreign_text(std::string(1'000'000, '\xff'), 64 << 10).size(), 64U << 10);
}

}  // namespace
}  // namespace evd::teacher
