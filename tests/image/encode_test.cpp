#include <gtest/gtest.h>

#include "core/error.hpp"
#include "image/samples.hpp"

namespace evd::image::test {
namespace {

TEST(EncodePng, IsLosslessForEveryShape) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 40}, {40, 1}, {32, 32}, {257, 129}}) {
    const Rgb image = formula_image(width, height);
    EXPECT_EQ(largest_difference(decode(encode_png(image)), image), 0) << width << "x" << height;
  }
}

TEST(EncodePng, RefusesPixelsThatDoNotFit) {
  EXPECT_THROW((void)encode_png({2, 2, std::vector<std::uint8_t>(11)}), InternalError);
  EXPECT_THROW((void)encode_png({0, 2, {}}), InternalError);
}

}  // namespace
}  // namespace evd::image::test
