#include "data/pictures.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::data {
namespace {

// (2, 2, 3): the first pixel is (0, 51, 255), the others are the index.
image::Rgb small(std::size_t index) {
  image::Rgb picture{2, 2, std::vector<std::uint8_t>(12, static_cast<std::uint8_t>(index))};
  picture.pixels[0] = 0;
  picture.pixels[1] = 51;
  picture.pixels[2] = 255;
  return picture;
}

std::vector<float> values(const Pictures& pictures, std::size_t index) {
  std::vector<float> out(pictures.picture_values());
  pictures.copy_to(index, out);
  return out;
}

TEST(Pictures, GivesPlanesBetweenMinusOneAndOne) {
  const Pictures pictures(5, 2, small);
  const auto out = values(pictures, 4);  // (3, 2, 2)
  EXPECT_FLOAT_EQ(out[0], -1.0F);
  EXPECT_FLOAT_EQ(out[4], -0.6F);
  EXPECT_FLOAT_EQ(out[8], 1.0F);
  for (const std::size_t i : {1, 2, 3, 5, 6, 7, 9, 10, 11})
    EXPECT_FLOAT_EQ(out[i], 4 / 127.5F - 1) << i;
}

TEST(Pictures, DecodesOnceWithinTheLimit) {
  std::vector<int> loads(4);
  const auto load = [&](std::size_t index) {
    ++loads[index];
    return small(index);
  };
  const Pictures pictures(4, 2, load, 2 * 12);  // room for two
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_FLOAT_EQ(values(pictures, i)[1], small(i).pixels[3] / 127.5F - 1);
  EXPECT_EQ(loads, (std::vector<int>{1, 1, 3, 3}));
}

TEST(Pictures, ManyThreadsSeeTheSamePixels) {
  const Pictures pictures(50, 2, small);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < 2000; ++i)
          if (values(pictures, i % 50)[3] != static_cast<float>(i % 50) / 127.5F - 1) ++wrong;
      });
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Pictures, AWrongSizeIsAnError) {
  const Pictures pictures(1, 3, small);
  EXPECT_THROW((void)values(pictures, 0), InternalError);
}

}  // namespace
}  // namespace evd::data
