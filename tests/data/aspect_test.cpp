#include "data/aspect.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::data {
namespace {

TEST(AspectTable, HasTheAuthorsTwentySizesAtThreeSides) {
  for (const int side : {256, 512, 1024}) {
    const auto table = aspect_table(side);
    ASSERT_EQ(table.size(), 20U);
    EXPECT_EQ(table.front().aspect, 0.5);
    EXPECT_EQ(table[10].aspect, 1.0);
    EXPECT_EQ(table[10].height_px, side);
    EXPECT_EQ(table[10].width_px, side);
    EXPECT_EQ(table.back().aspect, 2.0);
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto& bucket = table[i];
      // Whole tokens: 8 px a latent, 2 latents a token.
      EXPECT_EQ(bucket.height_px % (side / 16), 0) << i;
      EXPECT_EQ(bucket.width_px % (side / 16), 0) << i;
      EXPECT_NEAR(static_cast<double>(bucket.height_px) / bucket.width_px, bucket.aspect, 0.006);
      EXPECT_NEAR(1.0 * bucket.height_px * bucket.width_px / (1.0 * side * side), 1, 0.11) << i;
      EXPECT_GT(bucket.aspect, i == 0 ? 0.0 : table[i - 1].aspect);
    }
  }
  EXPECT_EQ(aspect_table(1024)[2].height_px, 768);
  EXPECT_EQ(aspect_table(1024)[2].width_px, 1344);
  EXPECT_EQ(aspect_table(256)[2].width_px, 336);
}

TEST(AspectTable, AnotherSideIsAnError) {
  EXPECT_THROW((void)aspect_table(768), ConfigurationError);
}

TEST(BucketOf, TakesTheNearestAspectNotTheNearestSize) {
  const auto table = aspect_table(512);
  EXPECT_EQ(bucket_of(table, 512, 512), 10);
  EXPECT_EQ(bucket_of(table, 4096, 4096), 10);
  EXPECT_EQ(bucket_of(table, 1344, 768), 2);  // 0.5714 is nearest to 0.57
  EXPECT_EQ(bucket_of(table, 768, 1344), 18);
  EXPECT_EQ(bucket_of(table, 8000, 100), 0);
  EXPECT_EQ(bucket_of(table, 100, 8000), 19);
  EXPECT_EQ(bucket_of(table, 1000, 510), 0);  // 0.51 is as near to 0.52: the first counts
  EXPECT_EQ(bucket_of(table, 100, 97), 9);    // 0.97 is as near to 1.0
  EXPECT_THROW((void)bucket_of(table, 0, 5), InternalError);
}

}  // namespace
}  // namespace evd::data
