// Every way to sum gradients gives the sum in rank order, on every rank, step after step.
#include "train/reducer.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "core/random.hpp"

namespace evd::train {
namespace {

constexpr std::size_t kSize = 1000;
const std::vector<Bucket> kBuckets = {{992, 1000}, {0, 7}, {7, 500}, {500, 992}};

std::vector<float> values_of(int rank, std::size_t step) {
  std::vector<float> values(kSize);
  Random(3, Purpose::test, static_cast<std::uint64_t>(rank), step).fill_normal(values);
  return values;
}

std::vector<float> expected_sum(int ranks, std::size_t step) {
  auto sum = values_of(0, step);
  for (int rank = 1; rank < ranks; ++rank) {
    const auto more = values_of(rank, step);
    for (std::size_t i = 0; i < kSize; ++i) sum[i] += more[i];
  }
  return sum;
}

class Reducers : public testing::TestWithParam<const char*> {
 protected:
  Reducers() : world(mpi::Communicator::world()), node(world.node()) {
    const std::string kind = GetParam();
    if (kind == "picked") reducer = make_reducer(world, node, kSize, kBuckets);
    if (kind == "window") reducer = make_window_reducer(node, kSize, kBuckets);
    if (kind == "mpi") reducer = make_mpi_reducer(world, kSize, kBuckets);
  }
  mpi::Communicator world;
  mpi::Communicator node;
  std::unique_ptr<Reducer> reducer;
};

INSTANTIATE_TEST_SUITE_P(All, Reducers, testing::Values("picked", "window", "mpi"));

TEST_P(Reducers, SumAlikeOnEveryRankWhateverBecomesReadyFirst) {
  for (std::size_t step = 0; step < 200; ++step) {
    reducer->begin();
    const auto own = values_of(world.rank(), step);
    std::copy(own.begin(), own.end(), reducer->gradients().begin());
    const auto order =
        permutation(Random(4, Purpose::test, static_cast<std::uint64_t>(world.rank()), step),
                    static_cast<std::uint32_t>(kBuckets.size()));
    for (const auto bucket : order) reducer->ready(bucket);
    const auto sums = reducer->finish();
    ASSERT_EQ(sums.size(), kSize);
    const auto expected = expected_sum(world.size(), step);
    for (std::size_t i = 0; i < kSize; ++i) {
      if (std::string(GetParam()) == "mpi") {
        ASSERT_NEAR(sums[i], expected[i], 1e-5);  // MPI picks its own order
      } else {
        ASSERT_EQ(sums[i], expected[i]) << "step " << step << ", element " << i;
      }
    }
    const auto hash = static_cast<std::int64_t>(xxh3_64(std::as_bytes(sums)) >> 1);
    ASSERT_EQ(world.all_reduce(hash, mpi::Reduce::max), world.all_reduce(hash, mpi::Reduce::min));
  }
}

TEST_P(Reducers, BeginWithZeros) {
  for (int step = 0; step < 3; ++step) {
    reducer->begin();
    reducer->gradients()[5] += 1;
    for (std::size_t bucket = 0; bucket < kBuckets.size(); ++bucket) reducer->ready(bucket);
    const auto sums = reducer->finish();
    EXPECT_EQ(sums[5], static_cast<float>(world.size()));
    EXPECT_EQ(sums[6], 0);
  }
}

}  // namespace
}  // namespace evd::train
