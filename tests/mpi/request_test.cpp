#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "mpi/communicator.hpp"

namespace evd::mpi {
namespace {

/// Parts of different sizes, one of them empty where there is more than one.
std::vector<int> cut(std::size_t size, int ranks) {
  std::vector<int> counts(static_cast<std::size_t>(ranks), 0);
  counts.back() = static_cast<int>(size);
  if (ranks > 2) {
    counts[0] = counts.back() / 3;
    counts.back() -= counts[0];
  }
  return counts;
}

std::size_t first_of(const std::vector<int>& counts, int rank) {
  return static_cast<std::size_t>(std::accumulate(counts.begin(), counts.begin() + rank, 0));
}

class Requests : public testing::Test {
 protected:
  Request start(const std::vector<float>& values, std::vector<float>& own) {
    const auto counts = cut(values.size(), world.size());
    own.resize(static_cast<std::size_t>(counts[static_cast<std::size_t>(world.rank())]));
    return world.start_reduce_scatter_sum(values, counts, own);
  }
  const Communicator world = Communicator::world();
};

TEST_F(Requests, SumSeveralBucketsAtOnce) {
  constexpr std::size_t kBuckets = 8;
  std::vector<std::vector<float>> buckets(kBuckets, std::vector<float>(50'000));
  std::vector<std::vector<float>> sums(kBuckets);
  for (std::size_t b = 0; b < kBuckets; ++b) {
    for (std::size_t i = 0; i < buckets[b].size(); ++i) {
      buckets[b][i] = static_cast<float>(b + i % 100);
    }
  }
  std::vector<Request> requests;
  for (std::size_t b = 0; b < kBuckets; ++b) requests.push_back(start(buckets[b], sums[b]));
  const std::size_t first = first_of(cut(50'000, world.size()), world.rank());
  // Out of order on purpose, and half of them by test.
  for (std::size_t b = kBuckets; b-- > 0;) {
    if (b % 2 == 0) {
      requests[b].wait();
    } else {
      while (!requests[b].test()) continue;
    }
    for (std::size_t i = 0; i < sums[b].size(); ++i) {
      ASSERT_EQ(sums[b][i],
                static_cast<float>(world.size()) * static_cast<float>(b + (first + i) % 100));
    }
  }
}

TEST_F(Requests, AddInTheSameOrderAtEachRun) {
  std::vector<float> values(10'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 1.0F / static_cast<float>(i + 1 + static_cast<std::size_t>(world.rank()));
  }
  std::vector<float> first;
  std::vector<float> second;
  start(values, first).wait();
  start(values, second).wait();
  EXPECT_EQ(first, second);
}

TEST_F(Requests, GatherThePartsOfAll) {
  const auto counts = cut(10'000, world.size());
  std::vector<float> values(10'000, -1.0F);
  const std::size_t first = first_of(counts, world.rank());
  const auto own = static_cast<std::size_t>(counts[static_cast<std::size_t>(world.rank())]);
  for (std::size_t i = first; i < first + own; ++i) values[i] = static_cast<float>(i);
  world.start_all_gather(values, counts).wait();
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], static_cast<float>(i));
}

TEST_F(Requests, AreDoneWhenEmptyAndAfterAMove) {
  Request none;
  EXPECT_TRUE(none.test());
  none.wait();
  const std::vector<float> values(10, 1.0F);
  std::vector<float> own;
  Request started = start(values, own);
  Request moved = std::move(started);
  moved.wait();
  EXPECT_TRUE(moved.test());
  for (const float value : own) EXPECT_EQ(value, static_cast<float>(world.size()));
}

TEST_F(Requests, TheirEndWaitsForTheSum) {
  const std::vector<float> values(100'000, 2.0F);
  std::vector<float> own;
  { const auto request = start(values, own); }
  for (const float value : own) ASSERT_EQ(value, 2.0F * static_cast<float>(world.size()));
}

TEST_F(Requests, TakeAnEmptyBucket) {
  std::vector<float> own;
  start({}, own).wait();
}

}  // namespace
}  // namespace evd::mpi
