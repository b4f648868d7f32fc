#include "data/order.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "data/held_out.hpp"

namespace evd::data {
namespace {

using Indices = std::vector<std::uint32_t>;

// 61 samples in bucket 3, 29 in 10, 9 in 11 and one in 19, mixed.
std::vector<int> mixed_buckets() {
  std::vector<int> buckets;
  for (int i = 0; i < 100; ++i) {
    const int place = i * 37 % 100;
    buckets.push_back(place < 61 ? 3 : place < 90 ? 10 : place < 99 ? 11 : 19);
  }
  return buckets;
}

Indices step_of(Order& order, std::uint64_t step, int world_size = 1) {
  Indices joined;
  for (int rank = 0; rank < world_size; ++rank) {
    const auto part = order.samples(order.turn(step), share_of(order.batch(), rank, world_size));
    joined.insert(joined.end(), part.begin(), part.end());
  }
  return joined;
}

TEST(Order, OneBucketIsTheStreamItself) {
  Order order(5, 1, 23, 7);
  for (const std::uint64_t step : {0, 3, 1, 500})
    EXPECT_EQ(step_of(order, step), Stream(5, 1, 0, 23).entries(step * 7, 7));
}

TEST(Order, AStepHasOneBucketAtAnyWorldSize) {
  const auto buckets = mixed_buckets();
  Order whole(11, 2, buckets, 32);
  for (std::uint64_t step = 0; step < 50; ++step) {
    const Indices expected = step_of(whole, step);
    ASSERT_EQ(expected.size(), 32U);
    const int bucket = whole.turn(step).bucket;
    for (const auto index : expected) ASSERT_EQ(buckets[index], bucket) << step;
    for (const int world_size : {1, 3, 5}) {
      Order other(11, 2, buckets, 32);
      EXPECT_EQ(step_of(other, step, world_size), expected) << world_size << ", step " << step;
    }
  }
}

TEST(Order, BatchesOfABucketAreTheirStreamWithoutAGap) {
  const auto buckets = mixed_buckets();
  Order order(11, 2, buckets, 32);
  std::map<int, Indices> taken;
  for (std::uint64_t step = 0; step < 200; ++step) {
    const auto samples = step_of(order, step);
    auto& all = taken[order.turn(step).bucket];
    EXPECT_EQ(order.turn(step).number * 32, all.size());
    all.insert(all.end(), samples.begin(), samples.end());
  }
  for (const auto& [bucket, all] : taken) {
    Indices members;
    for (std::uint32_t i = 0; i < buckets.size(); ++i)
      if (buckets[i] == bucket) members.push_back(i);
    const auto count = static_cast<std::uint32_t>(members.size());
    Indices expected = Stream(11, 2, bucket, count).entries(0, all.size());
    for (auto& entry : expected) entry = members[entry];
    EXPECT_EQ(all, expected) << bucket;
  }
  // A bucket smaller than the batch repeats its samples and is not dropped.
  EXPECT_EQ(taken.at(19).size() % 32, 0U);
  EXPECT_EQ(std::set(taken.at(11).begin(), taken.at(11).end()).size(), 9U);
}

// Against the rule as it is written, counted anew at each step.
TEST(Order, TheBucketThatLagsMostIsNext) {
  const auto buckets = mixed_buckets();
  const std::map<int, double> share = {{3, 0.61}, {10, 0.29}, {11, 0.09}, {19, 0.01}};
  Order order(1, 0, buckets, 8);
  std::map<int, std::int64_t> served;
  for (std::uint64_t step = 0; step < 1000; ++step) {
    int best = -1;
    double largest = 0;
    for (const auto& [bucket, part] : share) {
      const double lag =
          part * 8.0 * static_cast<double>(step + 1) - static_cast<double>(served[bucket]);
      if (best < 0 || lag > largest + 1e-6) {
        best = bucket;
        largest = lag;
      }
    }
    ASSERT_EQ(order.turn(step).bucket, best) << step;
    served[best] += 8;
  }
  for (const auto& [bucket, part] : share)
    EXPECT_NEAR(static_cast<double>(served[bucket]), part * 8000, 8) << bucket;
}

TEST(Order, OfEqualBucketsTheSmallestIndexIsFirst) {
  Order order(1, 0, std::vector<int>{7, 2, 7, 2, 5, 5}, 4);
  std::vector<int> turns;
  for (std::uint64_t step = 0; step < 6; ++step) turns.push_back(order.turn(step).bucket);
  EXPECT_EQ(turns, (std::vector<int>{2, 5, 7, 2, 5, 7}));
}

TEST(Order, AStepDoesNotDependOnWhatWasAskedBefore) {
  const auto buckets = mixed_buckets();
  Order forward(3, 1, buckets, 10);
  std::vector<Indices> expected;
  for (std::uint64_t step = 0; step < 40; ++step) expected.push_back(step_of(forward, step));
  Order jumping(3, 1, buckets, 10);
  for (const std::uint64_t step : {39, 0, 17, 16, 18}) {
    EXPECT_EQ(step_of(jumping, step), expected[step]) << step;
    Order fresh(3, 1, buckets, 10);
    EXPECT_EQ(step_of(fresh, step), expected[step]) << step;
  }
}

TEST(Order, TellsHowOftenEachSampleIsTaken) {
  const auto buckets = mixed_buckets();
  for (const std::uint64_t steps : {0, 1, 13, 100}) {
    Order order(3, 1, buckets, 10);
    std::vector<std::int64_t> counted(buckets.size());
    for (std::uint64_t step = 0; step < steps; ++step)
      for (const auto index : step_of(order, step)) ++counted[index];
    EXPECT_EQ(order.times_taken(steps), counted) << steps;
  }
}

TEST(Order, HeldOutSamplesAreTheOnesThatNoStepTakes) {
  auto buckets = mixed_buckets();
  std::vector<int> rest;  // as if they were not there
  Indices kept;
  for (std::uint32_t i = 0; i < buckets.size(); ++i) {
    if (i % 7 == 3) {
      buckets[i] = kHeldOut;
    } else {
      rest.push_back(buckets[i]);
      kept.push_back(i);
    }
  }
  Order order(3, 1, buckets, 10);
  Order expected(3, 1, rest, 10);
  for (std::uint64_t step = 0; step < 100; ++step) {
    Indices samples = step_of(expected, step);
    for (auto& sample : samples) sample = kept[sample];
    ASSERT_EQ(step_of(order, step), samples) << step;
  }
  const auto times = order.times_taken(100);
  ASSERT_EQ(times.size(), buckets.size());
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_EQ(times[i] == 0, i % 7 == 3) << i;
  EXPECT_THROW(Order(1, 0, std::vector<int>(5, kHeldOut), 4), DataError);
}

std::vector<Member> members(std::size_t count) {
  std::vector<Member> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::uint8_t, SampleId::kBytes> bytes{};
    Random random(9, Purpose::test, i);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
    all[i].id = SampleId(bytes);
  }
  return all;
}

TEST(HeldOut, AreTheSameInASetThatChanges) {
  const auto all = members(2000);
  const auto found = held_out(all, 0.1, 5);
  EXPECT_NEAR(static_cast<double>(found.size()), 200, 60);
  EXPECT_TRUE(held_out(all, 0, 5).empty());
  // Every second member is gone: of those that stay the same ones are held out, in the same order.
  std::vector<Member> half;
  for (std::size_t i = 0; i < all.size(); i += 2) half.push_back(all[i]);
  std::vector<std::size_t> expected;
  for (const auto index : found) {
    if (index % 2 == 0) expected.push_back(index / 2);
  }
  EXPECT_EQ(held_out(half, 0.1, 5), expected);
  EXPECT_NE(held_out(all, 0.1, 6), found);
  const auto buckets = without_held_out(std::vector<int>(all.size(), 4), all, 0.1, 5);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_held_out = std::find(found.begin(), found.end(), i) != found.end();
    EXPECT_EQ(buckets[i], is_held_out ? kHeldOut : 4) << i;
  }
}

TEST(Order, AnEmptySetIsAnError) {
  EXPECT_THROW(Order(1, 0, 0, 4), DataError);
  EXPECT_THROW(Order(1, 0, 4, 0), InternalError);
}

}  // namespace
}  // namespace evd::data
