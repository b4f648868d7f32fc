#include "data/prefetch.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "data/pictures.hpp"

namespace evd::data {
namespace {

image::Rgb plain(std::size_t index) {
  return {1, 1, std::vector<std::uint8_t>(3, static_cast<std::uint8_t>(index))};
}

std::vector<std::uint32_t> global_batch(std::uint64_t step, std::uint64_t batch, int world_size,
                                        int threads) {
  const Pictures pictures(23, 1, plain);
  std::vector<std::uint32_t> joined;
  for (int rank = 0; rank < world_size; ++rank) {
    Prefetch prefetch(pictures, Order(5, 1, 23, batch),
                      {step, step + 1, rank, world_size, threads, 2});
    const Batch part = prefetch.next();
    EXPECT_EQ(part.first, joined.size());
    joined.insert(joined.end(), part.indices.begin(), part.indices.end());
  }
  return joined;
}

TEST(Prefetch, RanksSplitTheSameGlobalBatch) {
  for (const std::uint64_t step : {0, 3, 1000}) {
    const auto whole = Stream(5, 1, 0, 23).entries(step * 10, 10);
    for (const int world_size : {1, 2, 3, 4, 10})
      EXPECT_EQ(global_batch(step, 10, world_size, 2), whole) << world_size;
  }
}

TEST(Prefetch, GivesStepsInOrderWithTheirPixels) {
  const Pictures pictures(23, 1, plain);
  for (const int threads : {1, 3}) {
    Prefetch prefetch(pictures, Order(5, 1, 23, 7), {4, 60, 0, 1, threads, 3});
    for (std::uint64_t step = 4; step < 60; ++step) {
      const Batch batch = prefetch.next();
      ASSERT_EQ(batch.step, step);
      ASSERT_EQ(batch.indices, Stream(5, 1, 0, 23).entries(step * 7, 7));
      for (std::size_t i = 0; i < 7; ++i)
        EXPECT_FLOAT_EQ(batch.samples[i].picture[0],
                        static_cast<float>(batch.indices[i]) / 127.5F - 1);
    }
    EXPECT_THROW((void)prefetch.next(), InternalError);
  }
}

TEST(Prefetch, AnErrorComesOutAtItsStep) {
  const std::uint32_t bad = Stream(5, 1, 0, 23).entries(2 * 7, 1)[0];
  const Pictures pictures(23, 1, [&](std::size_t index) {
    if (index == bad) throw DataError("no such picture");
    return plain(index);
  });
  Prefetch prefetch(pictures, Order(5, 1, 23, 7), {0, 60, 0, 1, 2, 3});
  EXPECT_NO_THROW((void)prefetch.next());
  EXPECT_NO_THROW((void)prefetch.next());
  EXPECT_THROW((void)prefetch.next(), DataError);
}

TEST(Prefetch, MayBeLeftEarly) {
  const Pictures pictures(23, 1, plain);
  for (int i = 0; i < 20; ++i) {
    Prefetch prefetch(pictures, Order(5, 1, 23, 7), {0, 1000000, 0, 1, 2, 8});
    EXPECT_EQ(prefetch.next().step, 0U);
  }
}

}  // namespace
}  // namespace evd::data
