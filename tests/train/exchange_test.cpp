// Whatever way ranks lie on nodes: each gets the sum of its parts, all get the weights of all.
#include "train/exchange.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "core/random.hpp"
#include "nn/small_network.hpp"
#include "train/adamw.hpp"
#include "train/state.hpp"
#include "train/step.hpp"

namespace evd::train {
namespace {

/// How the ranks of this machine are taken to lie.
enum class Lie : std::uint8_t { one_node, nodes_of_two, a_node_each, uneven };

mpi::Communicator node_of(const mpi::Communicator& world, Lie lie) {
  switch (lie) {
    case Lie::one_node:
      return world.node();
    case Lie::nodes_of_two:
      return world.split(world.rank() / 2);
    case Lie::a_node_each:
      return world.split(world.rank());
    case Lie::uneven:
      return world.split(world.rank() == 0 ? 0 : 1);
  }
  return world.node();
}

class Exchanges : public testing::TestWithParam<Lie> {
 protected:
  [[nodiscard]] std::vector<float> values_of(int rank, std::size_t step) const {
    std::vector<float> values(layout.size());
    Random(3, Purpose::test, static_cast<std::uint64_t>(rank), step).fill_normal(values);
    return values;
  }
  [[nodiscard]] std::vector<float> sum_of_all(std::size_t step) const {
    auto sum = values_of(0, step);
    for (int rank = 1; rank < world.size(); ++rank) {
      const auto more = values_of(rank, step);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
    }
    return sum;
  }
  void fill_and_tell(std::size_t step) {
    exchange.begin();
    std::ranges::copy(values_of(world.rank(), step), exchange.gradients().begin());
    const auto order =
        permutation(Random(4, Purpose::test, static_cast<std::uint64_t>(world.rank()), step),
                    static_cast<std::uint32_t>(buckets));
    for (const auto bucket : order) exchange.ready(bucket);
    exchange.finish();
  }

  const mpi::Communicator world = mpi::Communicator::world();
  const mpi::Communicator node = node_of(world, GetParam());
  const nn::Layout layout{nn::test::small_network(), nn::DiffusionOptions{}};
  const Sharding sharding{layout, world, node, 1024};
  const std::size_t buckets = sharding.own().size();
  State state{sharding};
  Exchange exchange{sharding, state.weights()};
};

INSTANTIATE_TEST_SUITE_P(All, Exchanges,
                         testing::Values(Lie::one_node, Lie::nodes_of_two, Lie::a_node_each,
                                         Lie::uneven));

TEST_P(Exchanges, PartsCoverEveryElementOnce) {
  std::vector<double> owners(layout.size());
  for (const Range& part : sharding.own()) {
    EXPECT_EQ(part.begin % nn::Layout::kAlignment, 0U);
    for (std::size_t i = part.begin; i < part.end; ++i) ++owners[i];
  }
  world.all_reduce(owners, mpi::Reduce::sum);
  EXPECT_EQ(owners, std::vector<double>(layout.size(), 1.0));
}

TEST_P(Exchanges, BucketsAreTheSameAtEveryWorldSize) {
  const Cut cut = cut_into_buckets(layout, 1024);
  ASSERT_EQ(cut.buckets.size(), buckets);
  for (std::size_t i = 0; i < buckets; ++i) {
    EXPECT_EQ(sharding.cut().buckets[i].begin, cut.buckets[i].begin);
  }
}

TEST_P(Exchanges, SumWhateverBecomesReadyFirst) {
  for (std::size_t step = 0; step < 100; ++step) {
    fill_and_tell(step);
    const auto expected = sum_of_all(step);
    double squares = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      const auto sums = exchange.own_gradient(bucket);
      const Range part = sharding.own()[bucket];
      ASSERT_EQ(sums.size(), part.size());
      for (std::size_t i = 0; i < sums.size(); ++i) {
        if (GetParam() == Lie::one_node) {
          ASSERT_EQ(sums[i], expected[part.begin + i]) << "step " << step << ", element " << i;
        } else {
          ASSERT_NEAR(sums[i], expected[part.begin + i], 1e-5);  // between nodes MPI's own order
        }
        squares += double{sums[i]} * double{sums[i]};
      }
    }
    ASSERT_NEAR(exchange.own_squared_norm(), squares, 1e-9 * squares);
    exchange.share_weights();
  }
}

TEST_P(Exchanges, AddInTheSameOrderAtEachRun) {
  std::vector<float> first;
  for (int run = 0; run < 2; ++run) {
    fill_and_tell(7);
    std::vector<float> all;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      const auto sums = exchange.own_gradient(bucket);
      all.insert(all.end(), sums.begin(), sums.end());
    }
    if (run == 0) first = all;
    EXPECT_EQ(all, first);
    exchange.share_weights();
  }
}

// As a validation does: once, all compute with the averages, twice, all is as before.
TEST_P(Exchanges, TheAverageChangesPlacesWithTheWeights) {
  for (std::size_t step = 0; step < 20; ++step) {
    fill_and_tell(step);
    const auto weights = values_of(97, step);
    const auto averages = values_of(98, step);
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      const Range part = sharding.own()[bucket];
      const auto slice = [&](const auto& values) {
        return std::span(values).subspan(part.begin, part.size());
      };
      std::ranges::copy(slice(weights), state.own(Kind::master, bucket).begin());
      std::ranges::copy(slice(averages), state.own(Kind::ema0, bucket).begin());
    }
    exchange.share_weights();
    const auto expect = [&](const auto& expected) {
      for (std::size_t i = 0; i < layout.size(); ++i) {
        ASSERT_EQ(state.weights()[i], expected[i]) << "step " << step << ", element " << i;
      }
    };
    expect(weights);
    swap_average(state, exchange);
    expect(averages);
    swap_average(state, exchange);
    expect(weights);
    state.fence();  // nobody writes while others compare
  }
}

// A step without an update (its gradient was not finite) shares weights too.
TEST_P(Exchanges, GiveEveryRankAllWeights) {
  for (std::size_t step = 0; step < 50; ++step) {
    fill_and_tell(step);
    const auto expected = values_of(99, step / 2);
    if (step % 2 == 0) {
      for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
        const Range part = sharding.own()[bucket];
        std::copy_n(&expected[part.begin], part.size(), state.own(Kind::master, bucket).begin());
      }
    }
    exchange.share_weights();
    ASSERT_TRUE(std::ranges::equal(state.weights(), expected)) << step;
  }
}

TEST_P(Exchanges, BeginWithZeros) {
  for (int step = 0; step < 3; ++step) {
    exchange.begin();
    for (const float value : exchange.gradients()) ASSERT_EQ(value, 0);
    exchange.gradients()[5] += 1;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) exchange.ready(bucket);
    exchange.finish();
    const Range part = sharding.own()[0];
    if (part.begin <= 5 && 5 < part.end) {
      EXPECT_EQ(exchange.own_gradient(0)[5 - part.begin], static_cast<float>(world.size()));
    }
    exchange.share_weights();
  }
}

}  // namespace
}  // namespace evd::train
