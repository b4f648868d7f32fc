#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "mpi/communicator.hpp"

namespace evd::mpi {
namespace {

TEST(Request, SumsSeveralBucketsAtOnce) {
  const auto world = Communicator::world();
  constexpr std::size_t kBuckets = 8;
  std::vector<std::vector<float>> buckets(kBuckets, std::vector<float>(50'000));
  for (std::size_t b = 0; b < kBuckets; ++b)
    for (auto& value : buckets[b]) value = static_cast<float>(b) + 1;
  std::vector<Request> requests;
  for (auto& bucket : buckets) requests.push_back(world.start_all_reduce_sum(bucket));
  // Out of order on purpose, and half of them by test.
  for (std::size_t b = kBuckets; b-- > 0;) {
    if (b % 2 == 0) {
      requests[b].wait();
    } else {
      while (!requests[b].test()) continue;
    }
    for (const float value : buckets[b])
      ASSERT_EQ(value, static_cast<float>(world.size()) * (static_cast<float>(b) + 1));
  }
}

TEST(Request, EqualsTheBlockingSumAtEachRun) {
  const auto world = Communicator::world();
  std::vector<float> values(10'000);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = 1.0F / static_cast<float>(i + 1 + static_cast<std::size_t>(world.rank()));
  auto first = values;
  auto second = values;
  world.start_all_reduce_sum(first).wait();
  world.start_all_reduce_sum(second).wait();
  EXPECT_EQ(first, second) << "a resumed run must add in the same order";
}

TEST(Request, IsDoneWhenEmptyAndAfterAMove) {
  const auto world = Communicator::world();
  Request none;
  EXPECT_TRUE(none.test());
  none.wait();
  std::vector<float> values(10, 1.0F);
  Request started = world.start_all_reduce_sum(values);
  Request moved = std::move(started);
  moved.wait();
  EXPECT_TRUE(moved.test());
  EXPECT_EQ(values[9], static_cast<float>(world.size()));
}

TEST(Request, ItsEndWaitsForTheSum) {
  const auto world = Communicator::world();
  std::vector<float> values(100'000, 2.0F);
  { const auto request = world.start_all_reduce_sum(values); }
  EXPECT_EQ(values.front(), 2.0F * static_cast<float>(world.size()));
  EXPECT_EQ(values.back(), 2.0F * static_cast<float>(world.size()));
}

TEST(Request, TakesAnEmptyBucket) {
  const auto world = Communicator::world();
  world.start_all_reduce_sum({}).wait();
}

}  // namespace
}  // namespace evd::mpi
