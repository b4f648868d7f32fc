#include "core/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace evd {
namespace {

using Block = std::array<std::uint32_t, 4>;

// kat_vectors of Random123 (D. E. Shaw Research), philox4x32 with 10 rounds.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<std::uint64_t> draw(Random random, int count) {
  std::vector<std::uint64_t> values;
  for (int i = 0; i < count; ++i) values.push_back(random.next_u64());
  return values;
}

TEST(Random, IsAFunctionOfItsKeyAlone) {
  Random used(7, Purpose::test, 3, 4);
  for (int i = 0; i < 100; ++i) (void)used.next_u32();
  EXPECT_EQ(draw(Random(7, Purpose::test, 3, 4), 50), draw(Random(7, Purpose::test, 3, 4), 50));
}

TEST(Random, EachPartOfTheKeyCounts) {
  std::set<std::vector<std::uint64_t>> streams;
  streams.insert(draw(Random(1, Purpose::test, 1, 1), 4));
  streams.insert(draw(Random(2, Purpose::test, 1, 1), 4));
  streams.insert(draw(Random(1, Purpose::noise, 1, 1), 4));
  streams.insert(draw(Random(1, Purpose::test, 2, 1), 4));
  streams.insert(draw(Random(1, Purpose::test, std::uint64_t{1} << 32, 1), 4));
  streams.insert(draw(Random(1, Purpose::test, 1, 2), 4));
  streams.insert(draw(Random(1, Purpose::test, 1, std::uint64_t{1} << 32), 4));
  EXPECT_EQ(streams.size(), 7U);
}

TEST(Random, NeighbouringKeysShareNoWords) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t id = 0; id < 100; ++id)
    for (std::uint64_t step = 0; step < 100; ++step)
      for (const auto word : draw(Random(1, Purpose::noise, id, step), 4)) seen.insert(word);
  EXPECT_EQ(seen.size(), 40'000U);
}

TEST(Random, UniformIsUniform) {
  constexpr int kBins = 20;
  constexpr int kDraws = 200'000;
  std::array<int, kBins> counts{};
  Random random(11, Purpose::test);
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    ++counts[static_cast<std::size_t>(x * kBins)];
  }
  double chi_squared = 0;
  const double expected = double{kDraws} / kBins;
  for (const int count : counts) chi_squared += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_squared, 43.8);  // 19 degrees of freedom, P = 0.001
}

TEST(Random, NormalHasTheRightMoments) {
  constexpr int kDraws = 200'000;
  Random random(12, Purpose::test);
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1, 0.015);
  EXPECT_NEAR(fourth / kDraws, 3, 0.12);
}

TEST(Random, FillNormalGivesTheSameNumbersAsOneByOne) {
  std::vector<float> filled(101);
  Random(5, Purpose::noise, 9, 2).fill_normal(filled);
  Random one_by_one(5, Purpose::noise, 9, 2);
  for (const float value : filled) EXPECT_EQ(value, static_cast<float>(one_by_one.normal()));
}

TEST(Random, BelowReachesEveryValueEvenly) {
  Random random(13, Purpose::test);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
  EXPECT_EQ(random.below(1), 0U);
  EXPECT_LT(random.below(std::uint64_t{1} << 63), std::uint64_t{1} << 63);
}

TEST(Permutation, HoldsEachIndexOnce) {
  auto order = permutation(Random(1, Purpose::data_order), 1000);
  std::sort(order.begin(), order.end());
  for (std::uint32_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i);
  EXPECT_TRUE(permutation(Random(1, Purpose::data_order), 0).empty());
  EXPECT_EQ(permutation(Random(1, Purpose::data_order), 1).size(), 1U);
}

TEST(Permutation, EveryOrderIsEquallyLikely) {
  std::map<std::vector<std::uint32_t>, int> counts;
  constexpr int kDraws = 24'000;
  for (int i = 0; i < kDraws; ++i)
    ++counts[permutation(Random(1, Purpose::data_order, static_cast<std::uint64_t>(i)), 4)];
  ASSERT_EQ(counts.size(), 24U);
  double chi_squared = 0;
  for (const auto& [order, count] : counts)
    chi_squared += (count - 1000.0) * (count - 1000.0) / 1000;
  EXPECT_LT(chi_squared, 49.7);  // 23 degrees of freedom, P = 0.001
}

}  // namespace
}  // namespace evd
