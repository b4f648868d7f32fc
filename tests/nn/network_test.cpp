// The network's gradients against differences, and its tables. Against diffusers: pixart_test.cpp.
#include "nn/network.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randn_like.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "nn/network_case.hpp"

namespace evd::nn {
namespace {

using test::NetworkCase;

struct Variant {
  QkNorm norm;
  bool learned_variance;
};

class NetworkVariants : public testing::TestWithParam<Variant> {};

INSTANTIATE_TEST_SUITE_P(All, NetworkVariants,
                         testing::Values(Variant{QkNorm::none, false}, Variant{QkNorm::cross, true},
                                         Variant{QkNorm::self_cross, false}));

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

TEST_P(NetworkVariants, GradientsEqualDifferencesInDouble) {
  const NetworkCase c(GetParam().norm, GetParam().learned_variance);
  for (const auto kernels : {Kernels::composed, Kernels::fused}) {
    Network network = c.network(kernels);
    network.require_gradients();
    const at::Tensor mix = at::randn_like(c.output(network).detach());
    (c.output(network) * mix).sum().backward();
    for (std::size_t i = 0; i < network.parameters().size(); ++i) {
      const auto& name = c.layout.parameters()[i].name;
      at::Tensor parameter = network.parameters()[i].detach();  // the same memory
      ASSERT_TRUE(network.parameters()[i].grad().defined()) << name;
      const c10::InferenceMode no_gradients(false);
      const at::Tensor direction = at::randn_like(parameter);
      const auto value = [&](double shift) {
        parameter.add_(direction, shift);
        const double sum = (c.output(network).detach() * mix).sum().item<double>();
        parameter.add_(direction, -shift);
        return sum;
      };
      // Differences of fourth order.
      constexpr double kStep = 1e-4;
      const double near = value(kStep) - value(-kStep);
      const double far = value(2 * kStep) - value(-2 * kStep);
      const double slope = (8 * near - far) / (12 * kStep);
      const double expected = (network.parameters()[i].grad() * direction).sum().item<double>();
      EXPECT_NEAR(slope, expected, 1e-6 * (1 + std::abs(expected))) << name;
    }
  }
}

TEST(Network, FreshNetworkGivesZeros) {
  NetworkCase c(QkNorm::self_cross);
  c.weights = c.layout.start_weights(3);
  EXPECT_EQ(largest(c.output(c.network(Kernels::fused))), 0);
}

TEST(Network, FloatIsNearDouble) {
  const NetworkCase c(QkNorm::self_cross);
  const at::Tensor exact = c.output(c.network(Kernels::composed));
  for (const auto kernels : {Kernels::composed, Kernels::fused}) {
    const at::Tensor out = c.output(c.network(kernels, at::kFloat)).to(at::kDouble);
    EXPECT_LT(largest(out - exact) / largest(exact), 5e-6);
  }
}

// By PixArt's get_2d_sincos_pos_embed: 64 x 64 tokens, base 64, interpolation 2, row 3, column 5.
TEST(Positions, KnownAnswersSquare) {
  const auto row = position_table(64, 64, 64, 2, 1152).select(0, 3 * 64 + 5);
  const auto at = [&](int i) { return row[i].item<float>(); };
  EXPECT_NEAR(at(0), .59847214, 6e-8);
  EXPECT_NEAR(at(1), .65959411, 6e-8);
  EXPECT_NEAR(at(287), .00025812, 6e-8);
  EXPECT_NEAR(at(288), -.80114362, 6e-8);
  EXPECT_NEAR(at(289), -.75162198, 6e-8);
  EXPECT_NEAR(at(575), .99999997, 6e-8);
  EXPECT_NEAR(at(576), .99749499, 6e-8);
  EXPECT_NEAR(at(577), .99304514, 6e-8);
  EXPECT_NEAR(at(864), .0707372, 6e-8);
  EXPECT_NEAR(at(865), .1177342, 6e-8);
}

// The same for 48 x 84 tokens (768 x 1344 px), row 10, column 20.
TEST(Positions, KnownAnswersWide) {
  const auto row = position_table(48, 84, 64, 2, 1152).select(0, 10 * 84 + 20);
  const auto at = [&](int i) { return row[i].item<float>(); };
  EXPECT_NEAR(at(0), .97252971, 1e-6);
  EXPECT_NEAR(at(1), .88941213, 1e-6);
  EXPECT_NEAR(at(288), .23277879, 1e-6);
  EXPECT_NEAR(at(576), .37415108, 1e-6);
  EXPECT_NEAR(at(577), .17278054, 1e-6);
  EXPECT_NEAR(at(864), .92736776, 1e-6);
}

// As PixArt's TimestepEmbedder: cosines first. The known answers come from single precision.
TEST(Timesteps, KnownAnswers) {
  double t = 999;
  const auto row = timestep_table(at::from_blob(&t, {1}, at::kDouble))[0];
  const auto at = [&](int i) { return row[i].item<float>(); };
  EXPECT_NEAR(at(0), 0.9996499, 1e-6);
  EXPECT_NEAR(at(1), 0.9637825, 1e-4);
  EXPECT_NEAR(at(2), -0.3989918, 1e-4);
  EXPECT_NEAR(at(64), -0.8444697, 1e-5);
  EXPECT_NEAR(at(127), 0.9942432, 1e-6);
  EXPECT_NEAR(at(128), -0.0264608, 1e-6);
  EXPECT_NEAR(at(129), -0.2666896, 1e-4);
  EXPECT_NEAR(at(192), -0.5356033, 1e-5);
  EXPECT_NEAR(at(255), 0.1071472, 1e-6);
}

}  // namespace
}  // namespace evd::nn
