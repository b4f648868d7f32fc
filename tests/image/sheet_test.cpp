#include "image/sheet.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "image/samples.hpp"

namespace evd::image::test {
namespace {

std::uint8_t red(const Rgb& image, int x, int y) {
  return image.pixels[(static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                       static_cast<std::size_t>(x)) *
                      3];
}

Rgb plain(int side, std::uint8_t level) {
  return {side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side) * 3, level)};
}

TEST(ContactSheet, PutsCellsInRowsAndLeavesHolesWhite) {
  const std::vector<Rgb> cells = {plain(8, 10), {}, plain(4, 30)};
  const Rgb sheet = contact_sheet(cells, 2, 2);
  EXPECT_EQ(sheet.width, 22);
  EXPECT_EQ(sheet.height, 22);
  EXPECT_EQ(red(sheet, 0, 0), 255);
  EXPECT_EQ(red(sheet, 2, 2), 10);
  EXPECT_EQ(red(sheet, 9, 9), 10);
  EXPECT_EQ(red(sheet, 15, 5), 255);  // the hole
  EXPECT_EQ(red(sheet, 5, 15), 30);   // grown to the first one's size
  EXPECT_EQ(red(sheet, 15, 15), 255);
}

TEST(ContactSheet, NeedsAPicture) {
  EXPECT_THROW((void)contact_sheet(std::vector<Rgb>(3), 2), InternalError);
}

}  // namespace
}  // namespace evd::image::test
