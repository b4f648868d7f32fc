#include "train/block_norms.hpp"

#include <cmath>
#include <map>

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "nn/small_network.hpp"
#include "train/shared_exchange.hpp"
#include "train/step.hpp"

namespace evd::train {
namespace {

TEST(BlockNorms, PartsAreBlocksAndLayersOutsideOfThem) {
  EXPECT_EQ(part_of("blocks.11.attn.qkv.weight"), "blocks.11");
  EXPECT_EQ(part_of("blocks.0.scale_shift_table"), "blocks.0");
  EXPECT_EQ(part_of("final_layer.linear.bias"), "final_layer");
  EXPECT_EQ(part_of("t_block.1.weight"), "t_block");
}

/// Norms of a part, summed over its elements.
struct Squares {
  double gradient = 0;
  double weight = 0;
  double change = 0;
};

TEST(BlockNorms, AreThoseOfWhatAStepChanged) {
  const auto world = mpi::Communicator::world();
  const auto node = world.node();
  const nn::Layout layout{nn::test::small_network(), nn::DiffusionOptions{}};
  const Sharding sharding{layout, world, node, 1024};
  State state(sharding);
  start_fresh(state, [&] {
    nn::Weights weights = nn::start_weights(layout, 1);
    Random(1, Purpose::test).fill_normal(weights.flat);
    return weights;
  });
  SharedExchange exchange(state);
  const BlockNorms norms(sharding);
  const AdamW adamw{1e-2, 0.5, 0.9, 0.99, 1e-8, 0.9};
  std::vector<float> gradient(layout.size());
  std::vector<double> logits;  // of 3 and 4, 5 and 6, ...
  for (int i = 0; i < 2 * layout.network().depth; ++i) logits.push_back(3.0 + i);
  auto* gradients = exchange.gradients().mutable_data_ptr<float>();
  for (std::int64_t step = 0; step < 3; ++step) {
    exchange.begin();
    Random(2, Purpose::test, 0, static_cast<std::uint64_t>(step)).fill_normal(gradient);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradients[i] = gradient[i] / static_cast<float>(world.size());
    }
    for (std::size_t b = 0; b < sharding.cut().buckets.size(); ++b) exchange.ready(b);
    exchange.finish();
    const std::vector<float> before(state.weights().begin(), state.weights().end());
    world.barrier();
    apply(adamw, state, exchange, 0.1);
    const auto rows =
        norms.measure(state, exchange, adamw, state.counters.updates, step, 7, logits);
    exchange.share_weights();
    std::map<std::string, Squares> expected;
    for (const auto& parameter : layout.parameters()) {
      auto& sums = expected[part_of(parameter.name)];
      for (std::size_t i = parameter.offset; i < parameter.offset + parameter.count; ++i) {
        const double w = state.weights()[i];
        sums.gradient += std::pow(double{gradient[i]}, 2);
        sums.weight += w * w;
        sums.change += std::pow(w - double{before[i]}, 2);
      }
    }
    ASSERT_EQ(rows.size(), expected.size());
    for (const auto& row : rows) {
      const auto& sums = expected.at(row.part.text);
      EXPECT_EQ(row.step, step);
      EXPECT_EQ(row.round, 7);
      if (row.part.text == "blocks.1") {
        EXPECT_EQ(row.self_logit, 5);
        EXPECT_EQ(row.cross_logit, 6);
      }
      EXPECT_EQ(std::isnan(row.self_logit), !row.part.text.starts_with("blocks."));
      EXPECT_NEAR(row.gradient_norm, std::sqrt(sums.gradient), 1e-4 * row.gradient_norm);
      EXPECT_NEAR(row.weight_norm, std::sqrt(sums.weight), 1e-4 * row.weight_norm);
      const double ratio = std::sqrt(sums.change / sums.weight);
      EXPECT_NEAR(row.update_ratio, ratio, 1e-3 * ratio) << row.part.text;
    }
  }
}

}  // namespace
}  // namespace evd::train
