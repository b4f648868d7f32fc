#include "data/stream.hpp"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::data {
namespace {

using Indices = std::vector<std::uint32_t>;

Indices sorted(Indices indices) {
  std::sort(indices.begin(), indices.end());
  return indices;
}

TEST(Stream, EveryEpochHoldsEverySampleOnce) {
  Stream stream(11, 2, 0, 37);
  Indices all(37);
  std::iota(all.begin(), all.end(), 0U);
  for (const std::uint64_t epoch : {0, 1, 2, 90})
    EXPECT_EQ(sorted(stream.entries(epoch * 37, 37)), all);
  EXPECT_NE(stream.entries(0, 37), stream.entries(37, 37));
}

TEST(Stream, TellsHowOftenEachSampleWasTaken) {
  for (const std::uint64_t count : {0, 1, 36, 37, 38, 500}) {
    Stream stream(11, 2, 0, 37);
    std::vector<std::int64_t> counted(37);
    for (const auto index : stream.entries(0, count)) ++counted[index];
    EXPECT_EQ(stream.times_taken(count), counted) << count;
  }
}

TEST(Stream, AnyCutOfTheStreamIsTheSame) {
  Stream whole(11, 2, 0, 37);
  const Indices at_once = whole.entries(0, 500);
  Stream pieces(11, 2, 0, 37);
  for (const std::uint64_t batch : {1, 8, 37, 64, 111}) {
    Indices joined;
    for (std::uint64_t at = 0; at < 500; at += batch) {
      const auto piece = pieces.entries(at, std::min<std::uint64_t>(batch, 500 - at));
      joined.insert(joined.end(), piece.begin(), piece.end());
    }
    EXPECT_EQ(joined, at_once) << batch;
  }
}

TEST(Stream, SeedRoundAndBucketGiveOtherOrders) {
  const Indices base = Stream(11, 2, 0, 37).entries(0, 37);
  EXPECT_NE(Stream(12, 2, 0, 37).entries(0, 37), base);
  EXPECT_NE(Stream(11, 3, 0, 37).entries(0, 37), base);
  EXPECT_NE(Stream(11, 2, 1, 37).entries(0, 37), base);
  EXPECT_EQ(Stream(11, 2, 0, 37).entries(0, 37), base);
}

TEST(Stream, AnEmptySetIsAnError) { EXPECT_THROW(Stream(1, 0, 0, 0), DataError); }

TEST(ShareOf, CoversABatchWithoutOverlapAtAnyWorldSize) {
  for (const int world_size : {1, 2, 3, 5, 7, 64}) {
    std::uint64_t next = 0;
    for (int rank = 0; rank < world_size; ++rank) {
      const Share share = share_of(50, rank, world_size);
      EXPECT_EQ(share.begin, next);
      EXPECT_LE(share.size(), 50U / static_cast<unsigned>(world_size) + 1);
      EXPECT_GE(share.size(), 50U / static_cast<unsigned>(world_size));
      next = share.end;
    }
    EXPECT_EQ(next, 50U);
  }
}

}  // namespace
}  // namespace evd::data
