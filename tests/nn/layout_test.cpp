#include "nn/layout.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::nn {
namespace {

NetworkOptions xl2() {
  NetworkOptions n;
  n.input_size = 64;
  n.channels = 4;
  n.patch = 2;
  n.width = 1152;
  n.depth = 28;
  n.head_dim = 72;
  n.caption_width = 4096;
  n.max_tokens = 120;
  return n;
}

DiffusionOptions learned() {
  DiffusionOptions d;
  d.learned_variance = true;
  return d;
}

// PixArt-XL/2 as published has 610,856,096 parameters in 435 tensors.
TEST(Layout, CountsTheFullSizeNetwork) {
  const Layout layout(xl2(), learned());
  EXPECT_EQ(layout.trained(), 610'856'096U);
  EXPECT_EQ(layout.parameters().size(), 435U);
}

TEST(Layout, TensorsFollowEachOtherAligned) {
  const Layout layout{NetworkOptions{}, DiffusionOptions{}};
  std::size_t end = 0;
  for (const auto& parameter : layout.parameters()) {
    EXPECT_EQ(parameter.offset % Layout::kAlignment, 0U) << parameter.name;
    EXPECT_GE(parameter.offset, end);
    EXPECT_LT(parameter.offset, end + Layout::kAlignment);
    end = parameter.offset + parameter.count;
  }
  EXPECT_GE(layout.size(), end);
  EXPECT_EQ(layout.parameters().front().name, "final_layer.linear.weight");
  EXPECT_EQ(layout.parameters().back().name, "x_embedder.proj.bias");
}

double deviation(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += double{value} * double{value};
  return std::sqrt(sum / static_cast<double>(values.size()));
}

TEST(Layout, StartsAsTheOriginal) {
  const Layout layout{NetworkOptions{}, DiffusionOptions{}};
  const auto weights = layout.start_weights(1);
  const auto of = [&](const char* name) {
    const auto& p = layout.find(name);
    return std::span(weights).subspan(p.offset, p.count);
  };
  EXPECT_EQ(deviation(of("final_layer.linear.weight")), 0);
  EXPECT_EQ(deviation(of("blocks.3.cross_attn.proj.weight")), 0);
  EXPECT_EQ(deviation(of("blocks.0.attn.qkv.bias")), 0);
  EXPECT_NEAR(deviation(of("t_block.1.weight")), 0.02, 1e-3);
  EXPECT_NEAR(deviation(of("blocks.2.scale_shift_table")), 1 / std::sqrt(128.0), 1e-2);
  // Of a uniform with bound b the deviation is b / sqrt(3).
  EXPECT_NEAR(deviation(of("blocks.5.attn.qkv.weight")), std::sqrt(6 / (4 * 128.0) / 3), 1e-3);
  EXPECT_NEAR(deviation(of("x_embedder.proj.weight")), std::sqrt(6 / (128 + 192.0) / 3), 1e-3);
}

TEST(Layout, StartsAlikeFromOneSeedAndUnlikeFromAnother) {
  const Layout layout{NetworkOptions{}, DiffusionOptions{}};
  EXPECT_EQ(layout.start_weights(5), layout.start_weights(5));
  EXPECT_NE(layout.start_weights(5), layout.start_weights(6));
  EXPECT_EQ(layout.start_null_text(5), layout.start_null_text(5));
}

// A deeper network starts with the same first blocks: weights are drawn by name.
TEST(Layout, DrawsByName) {
  NetworkOptions deep;
  deep.depth = 8;
  const Layout a{NetworkOptions{}, DiffusionOptions{}};
  const Layout b(deep, DiffusionOptions{});
  const auto first = [](const Layout& layout) {
    const auto weights = layout.start_weights(1);
    return weights[layout.find("blocks.2.mlp.fc1.weight").offset];
  };
  EXPECT_EQ(first(a), first(b));
}

TEST(Layout, RefusesSizesThatDoNotFit) {
  NetworkOptions n;
  n.patch = 5;
  EXPECT_THROW(Layout(n, DiffusionOptions{}), ConfigurationError);
  n = {};
  n.head_dim = 48;
  EXPECT_THROW(Layout(n, DiffusionOptions{}), ConfigurationError);
  n = {};
  n.mlp_ratio = 1.001;
  EXPECT_THROW(Layout(n, DiffusionOptions{}), ConfigurationError);
}

}  // namespace
}  // namespace evd::nn
