// Whatever way ranks lie on nodes: each gets the sum of its parts, all get the weights of all.
#include "train/exchange.hpp"

#include <optional>

#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "core/half.hpp"
#include "core/random.hpp"
#include "cuda/device.hpp"
#include "nn/device_tensors.hpp"
#include "nn/small_network.hpp"
#include "train/adamw.hpp"
#include "train/state.hpp"
#include "train/step.hpp"

namespace evd::train {
namespace {

/// How the ranks of this machine are taken to lie.
enum class Lie : std::uint8_t { one_node, nodes_of_two, a_node_each, uneven };

mpi::Communicator node_lying(const mpi::Communicator& world, Lie lie) {
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

struct Setting {
  Lie lie = Lie::one_node;
  nn::Engine engine{};
  [[nodiscard]] bool adds_in_rank_order() const {
    return engine.is_plain() && lie == Lie::one_node;
  }
};

class Exchanges : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    if (GetParam().engine.on_card() && cuda::device_count() == 0) GTEST_SKIP() << cuda::why_none();
    Setting setting = GetParam();
    if (setting.engine.on_card()) {  // each rank its own, where there are as many
      setting.engine.card = world.node().rank() % cuda::device_count();
      cuda::use_device(setting.engine.card);
    }
    owner.emplace(world, setting);
  }
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
    exchange().begin();
    set_gradients(values_of(world.rank(), step));
    const auto order =
        permutation(Random(4, Purpose::test, static_cast<std::uint64_t>(world.rank()), step),
                    static_cast<std::uint32_t>(buckets()));
    for (const auto bucket : order) exchange().ready(bucket);
    exchange().finish();
  }

  [[nodiscard]] static at::Tensor tensor_of(const std::vector<float>& values) {
    return at::from_blob(const_cast<float*>(values.data()), {std::int64_t(values.size())},
                         at::kFloat);
  }
  void set_gradients(const std::vector<float>& values) const {
    exchange().gradients().narrow(0, 0, std::int64_t(values.size())).copy_(tensor_of(values));
  }
  /// The layout's elements of what is computed with, as floats on the host.
  [[nodiscard]] std::vector<float> computed() const {
    const at::Tensor all = exchange()
                               .weights()
                               .narrow(0, 0, std::int64_t(layout.size()))
                               .to(at::TensorOptions(at::kCPU).dtype(at::kFloat))
                               .contiguous();
    return {all.const_data_ptr<float>(), all.const_data_ptr<float>() + all.numel()};
  }
  /// What is computed with where the master is `values`.
  [[nodiscard]] std::vector<float> as_computed(std::vector<float> values) const {
    if (GetParam().engine.precision == nn::Precision::bfloat16) {
      for (float& value : values) value = from_bfloat16(to_bfloat16(value));
    }
    return values;
  }

  struct Owner {
    Owner(const mpi::Communicator& world, const Setting& setting)
        : node(node_of(setting.engine, world, node_lying(world, setting.lie))),
          layout(nn::test::small_network(), nn::DiffusionOptions{}),
          sharding(layout, world, node, 1024),
          state(sharding, setting.engine, {0.5, 0.99}),
          exchange(make_exchange(state)) {}
    mpi::Communicator node;
    nn::Layout layout;
    Sharding sharding;
    State state;
    std::unique_ptr<Exchange> exchange;
  };
  [[nodiscard]] Exchange& exchange() const { return *owner->exchange; }
  [[nodiscard]] State& state() { return owner->state; }
  [[nodiscard]] const Sharding& sharding() const { return owner->sharding; }
  [[nodiscard]] std::size_t buckets() const { return sharding().own().size(); }

  const mpi::Communicator world = mpi::Communicator::world();
  const nn::Layout layout{nn::test::small_network(), nn::DiffusionOptions{}};
  std::optional<Owner> owner;
};

#ifdef EVD_ON_CARDS
constexpr nn::Engine kCard{0, nn::Precision::float32};
constexpr nn::Engine kCardHalf{0, nn::Precision::bfloat16};
INSTANTIATE_TEST_SUITE_P(OnCards, Exchanges,
                         testing::Values(Setting{Lie::a_node_each, kCard},
                                         Setting{Lie::a_node_each, kCardHalf}));
#else
constexpr nn::Engine kHalf{-1, nn::Precision::bfloat16};
INSTANTIATE_TEST_SUITE_P(All, Exchanges,
                         testing::Values(Setting{Lie::one_node}, Setting{Lie::nodes_of_two},
                                         Setting{Lie::a_node_each}, Setting{Lie::uneven},
                                         Setting{Lie::one_node, kHalf},
                                         Setting{Lie::nodes_of_two, kHalf}));
#endif

TEST_P(Exchanges, PartsCoverEveryElementOnce) {
  std::vector<double> owners(layout.size());
  for (const Range& part : sharding().own()) {
    EXPECT_EQ(part.begin % nn::Layout::kAlignment, 0U);
    for (std::size_t i = part.begin; i < part.end; ++i) ++owners[i];
  }
  world.all_reduce(owners, mpi::Reduce::sum);
  EXPECT_EQ(owners, std::vector<double>(layout.size(), 1.0));
}

TEST_P(Exchanges, BucketsAreTheSameAtEveryWorldSize) {
  const Cut cut = cut_into_buckets(layout, 1024);
  ASSERT_EQ(cut.buckets.size(), buckets());
  for (std::size_t i = 0; i < buckets(); ++i) {
    EXPECT_EQ(sharding().cut().buckets[i].begin, cut.buckets[i].begin);
  }
}

TEST_P(Exchanges, SumWhateverBecomesReadyFirst) {
  for (std::size_t step = 0; step < 100; ++step) {
    fill_and_tell(step);
    const auto expected = sum_of_all(step);
    double squares = 0;
    for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
      const auto sums = exchange().own_gradient(bucket);
      const Range part = sharding().own()[bucket];
      ASSERT_EQ(sums.size(), part.size());
      for (std::size_t i = 0; i < sums.size(); ++i) {
        if (GetParam().adds_in_rank_order()) {
          ASSERT_EQ(sums[i], expected[part.begin + i]) << "step " << step << ", element " << i;
        } else {
          ASSERT_NEAR(sums[i], expected[part.begin + i], 1e-5);  // between nodes MPI's own order
        }
        squares += double{sums[i]} * double{sums[i]};
      }
    }
    ASSERT_NEAR(exchange().own_squared_norm(), squares, 1e-9 * squares);
    exchange().share_weights();
  }
}

TEST_P(Exchanges, AddInTheSameOrderAtEachRun) {
  std::vector<float> first;
  for (int run = 0; run < 2; ++run) {
    fill_and_tell(7);
    std::vector<float> all;
    for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
      const auto sums = exchange().own_gradient(bucket);
      all.insert(all.end(), sums.begin(), sums.end());
    }
    if (run == 0) first = all;
    EXPECT_EQ(all, first);
    exchange().share_weights();
  }
}

// As a validation does: once, all compute with the averages, twice, all is as before.
TEST_P(Exchanges, TheAverageChangesPlacesWithTheWeights) {
  for (std::size_t step = 0; step < 20; ++step) {
    fill_and_tell(step);
    const auto weights = values_of(97, step);
    const auto averages = values_of(98, step);
    for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
      const Range part = sharding().own()[bucket];
      const auto slice = [&](const auto& values) {
        return std::span(values).subspan(part.begin, part.size());
      };
      std::ranges::copy(slice(weights), state().own(Kind::master, bucket).begin());
      std::ranges::copy(slice(averages), state().own(Kind::ema0, bucket).begin());
    }
    exchange().share_weights();
    const auto expect = [&](const auto& master) {
      const auto found = computed();
      const auto expected = as_computed(master);
      for (std::size_t i = 0; i < layout.size(); ++i) {
        ASSERT_EQ(found[i], expected[i]) << "step " << step << ", element " << i;
      }
    };
    expect(weights);
    swap_average(state(), exchange());
    expect(averages);
    swap_average(state(), exchange());
    expect(weights);
    state().fence();  // nobody writes while others compare
  }
}

// A step without an update (its gradient was not finite) shares weights too.
TEST_P(Exchanges, GiveEveryRankAllWeights) {
  for (std::size_t step = 0; step < 50; ++step) {
    fill_and_tell(step);
    const auto expected = values_of(99, step / 2);
    if (step % 2 == 0) {
      for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
        const Range part = sharding().own()[bucket];
        std::copy_n(&expected[part.begin], part.size(), state().own(Kind::master, bucket).begin());
      }
    }
    exchange().share_weights();
    ASSERT_EQ(computed(), as_computed(expected)) << step;
  }
}

TEST_P(Exchanges, BeginWithZeros) {
  for (int step = 0; step < 3; ++step) {
    exchange().begin();
    ASSERT_EQ(exchange().gradients().abs().max().item<float>(), 0);
    exchange().gradients()[5] += 1;
    for (std::size_t bucket = 0; bucket < buckets(); ++bucket) exchange().ready(bucket);
    exchange().finish();
    const Range part = sharding().own()[0];
    if (part.begin <= 5 && 5 < part.end) {
      EXPECT_EQ(exchange().own_gradient(0)[5 - part.begin], static_cast<float>(world.size()));
    }
    exchange().share_weights();
  }
}

// The optimizer's pass gives what is computed with, too.
TEST_P(Exchanges, UpdateTheMasterAndWhatIsComputedWith) {
  const AdamW adamw{1e-2, 0.5, 0.9, 0.99, 1e-8, 0.9, {0.5, 0.99}};
  const auto start = values_of(95, 0);
  std::vector<float> weights = start;
  std::vector<float> first(weights.size());
  std::vector<float> second(weights.size());
  std::vector<float> average = start;
  std::vector<float> faster = start;
  std::vector<float> slower = start;
  start_fresh(state(), [&] { return nn::Weights{start, layout.start_null_text(1)}; });
  exchange().share_weights();
  ASSERT_EQ(computed(), as_computed(start));
  for (std::size_t step = 0; step < 5; ++step) {
    fill_and_tell(step);
    std::vector<float> sums(weights.size());
    for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
      std::ranges::copy(exchange().own_gradient(bucket),
                        sums.begin() + std::ptrdiff_t(sharding().own()[bucket].begin));
    }
    apply(adamw, state(), exchange(), 0.25);
    exchange().share_weights();
    update(adamw, std::int64_t(step) + 1,
           Parameters{weights, first, second, average, {faster, slower}}, sums, 0.25);
    const auto found = computed();
    const auto expected = as_computed(weights);
    for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
      const Range part = sharding().own()[bucket];
      for (std::size_t i = part.begin; i < part.end; ++i) {
        ASSERT_EQ(found[i], expected[i]) << step;
        ASSERT_EQ(state().own(Kind::ema0, bucket)[i - part.begin], average[i]) << step;
        ASSERT_EQ(state().own(Kind::ema1, bucket)[i - part.begin], faster[i]) << step;
        ASSERT_EQ(state().own(Kind::ema2, bucket)[i - part.begin], slower[i]) << step;
        ASSERT_EQ(state().own(Kind::exp_avg_sq, bucket)[i - part.begin], second[i]) << step;
      }
    }
    state().fence();  // nobody writes while others compare
  }
}

}  // namespace
}  // namespace evd::train
