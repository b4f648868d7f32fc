// What is computed on a card against the same on the processor.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "cuda/device.hpp"
#include "nn/device_tensors.hpp"
#include "nn/generator.hpp"
#include "nn/model_file.hpp"
#include "nn/network_case.hpp"

namespace evd::nn {
namespace {

double error_of(const at::Tensor& found, const at::Tensor& wanted) {
  const at::Tensor exact = wanted.to(at::kDouble);
  const at::Tensor difference = found.cpu().to(at::kDouble) - exact;
  return (difference.abs().max() / exact.abs().max()).item<double>();
}

class OnACard : public testing::Test {
 protected:
  void SetUp() override {
    if (cuda::device_count() == 0) GTEST_SKIP() << cuda::why_none();
    ComputeOptions options;
    options.device = DeviceKind::cuda;
    engine = choose_engine(options, 0);
  }

  /// Output, and gradients in the layout's order, of a network on `place`.
  struct Found {
    at::Tensor output;
    std::vector<at::Tensor> gradients;
  };
  static Found run(const test::NetworkCase& c, const at::TensorOptions& place) {
    Network network(c.layout,
                    c.input(c.weights, {static_cast<std::int64_t>(c.weights.size())}).to(place));
    network.require_gradients();
    const auto inputs = place.dtype(network.stream_dtype());
    const auto& n = c.layout.network();
    auto text = c.text();
    text.states = text.states.to(inputs);
    const at::Tensor z =
        c.input(c.z, {test::NetworkCase::kBatch, n.channels, n.input_size, n.input_size})
            .to(inputs);
    const at::Tensor t = c.input(c.t, {test::NetworkCase::kBatch}).to(inputs);
    Found found{network.forward(z, t, network.keys_of(text)), {}};
    (found.output * found.output).sum().backward();
    for (const auto& parameter : network.parameters()) found.gradients.push_back(parameter.grad());
    return found;
  }

  Engine engine;
};

TEST_F(OnACard, TheNetworkAndItsGradientsAreThoseOfTheProcessor) {
  for (const auto norm : {QkNorm::none, QkNorm::cross, QkNorm::self_cross}) {
    const test::NetworkCase c(norm, /*learned_variance=*/true);
    const Found exact = run(c, at::kDouble);
    const Found single = run(c, options_of(engine));
    EXPECT_LE(error_of(single.output.detach(), exact.output.detach()), 1e-5);
    const Found half = run(c, options_of({engine.card, Precision::bfloat16}));
    EXPECT_LE(error_of(half.output.detach(), exact.output.detach()), 5e-2);
    double highest = 0;
    for (const auto& gradient : exact.gradients) {
      highest = std::max(highest, gradient.abs().max().item<double>());
    }
    for (std::size_t i = 0; i < exact.gradients.size(); ++i) {
      const double scale = exact.gradients[i].abs().max().item<double>() + 1e-3 * highest;
      const auto off = [&](const Found& found) {
        return (found.gradients[i].cpu().to(at::kDouble) - exact.gradients[i])
                   .abs()
                   .max()
                   .item<double>() /
               scale;
      };
      EXPECT_LE(off(single), 5e-5) << c.layout.parameters()[i].name;
      EXPECT_LE(off(half), 0.2) << c.layout.parameters()[i].name;
    }
  }
}

TEST_F(OnACard, GradientsHaveTheSameBitsInEachRun) {
  const test::NetworkCase c(QkNorm::self_cross, /*learned_variance=*/true);
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    const Found first = run(c, options_of({engine.card, precision}));
    const Found second = run(c, options_of({engine.card, precision}));
    for (std::size_t i = 0; i < first.gradients.size(); ++i) {
      EXPECT_TRUE(first.gradients[i].equal(second.gradients[i])) << c.layout.parameters()[i].name;
    }
  }
}

TEST_F(OnACard, PicturesAreNearlyThoseOfTheProcessor) {
  const test::NetworkCase c(QkNorm::self_cross);
  std::vector<RenderRequest> requests = {{"a red square", 1}, {"two blue circles", 2}};
  SamplerOptions sampler;
  sampler.steps = 5;
  sampler.batch = 2;
  const auto& n = c.layout.network();
  const auto draw = [&](const Engine& on) {
    return Generator(5, n, c.layout.diffusion(), {}, on).render(requests, sampler, 3);
  };
  const auto theirs = draw({});
  const auto ours = draw(engine);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    int worst = 0;
    for (std::size_t j = 0; j < ours[i].size(); ++j) {
      worst = std::max(worst, std::abs(int{ours[i][j]} - int{theirs[i][j]}));
    }
    EXPECT_LE(worst, 1) << i;
  }
  EXPECT_EQ(draw(engine), ours);
}

}  // namespace
}  // namespace evd::nn
