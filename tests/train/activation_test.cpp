// The estimate of what a pass holds, against what it does hold.
#include <algorithm>
#include <fstream>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "core/random.hpp"
#include "nn/diffusion.hpp"
#include "nn/network.hpp"
#include "nn/threads.hpp"
#include "train/activations.hpp"
#include "train/aligned_buffer.hpp"

namespace evd::train {
namespace {

double status_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    double kilobytes = 0;
    if (word == key + ":" && file >> kilobytes) return 1024 * kilobytes;
  }
  return 0;
}

void forget_peak() {
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

struct Case {
  nn::NetworkOptions network;
  nn::DiffusionOptions diffusion;
  std::int64_t samples = 1;
  std::vector<std::int64_t> lengths;  // taken in turn
};

/// One pass as training makes it; gives the peak above what there was before.
double measured(const Case& c, const std::vector<std::int64_t>& lengths) {
  const auto& n = c.network;
  const nn::Layout layout(n, c.diffusion);
  AlignedBuffer weights(layout.size());
  Random(1, Purpose::test).fill_normal(weights.values());
  for (auto& w : weights.values()) w *= 0.02F;
  nn::Network network(
      layout, at::from_blob(weights.values().data(), {std::int64_t(layout.size())}, at::kFloat));
  network.require_gradients();
  for (const auto& p : network.parameters()) p.mutable_grad() = at::zeros_like(p).fill_(0.0);
  const nn::Schedule schedule(c.diffusion);
  std::int64_t words = 0;
  for (const auto length : lengths) words += length;
  double peak = 0;
  for (int pass = 0; pass < 2; ++pass) {  // the first one makes caches
    forget_peak();
    const double before = status_bytes("VmRSS");
    const at::Tensor z0 = at::randn({c.samples, n.channels, n.input_size, n.input_size});
    const at::Tensor noise = at::randn(z0.sizes());
    const std::vector<int> timesteps(static_cast<std::size_t>(c.samples), 500);
    const nn::Diffusion diffusion(schedule, c.diffusion, timesteps, at::kFloat);
    const nn::TextBatch text{at::randn({words, n.caption_width}), lengths};
    const at::Tensor t = at::zeros({c.samples}, at::kDouble).fill_(500.0);
    const at::Tensor output =
        network.forward(diffusion.noised(z0, noise), t, network.keys_of(text));
    diffusion.loss(output, z0, noise).sum().backward();
    peak = status_bytes("VmHWM") - before;
  }
  return peak;
}

void expect_within(const Case& c) {
  nn::use_threads(1);
  std::vector<std::int64_t> lengths;
  PassShape shape{c.samples, tokens_of(c.network), 0};
  for (std::int64_t i = 0; i < c.samples; ++i) {
    lengths.push_back(c.lengths[static_cast<std::size_t>(i) % c.lengths.size()]);
    shape.text_tokens += lengths.back();
  }
  const double planned = activation_bytes(c.network, c.diffusion, shape);
  const double is = measured(c, lengths);
  std::printf("planned %.1f MB, measured %.1f MB: %.3f\n", planned / 1e6, is / 1e6, planned / is);
  EXPECT_GT(planned, 0.87 * is);
  EXPECT_LT(planned, 1.15 * is);
}

TEST(Activations, OfTheRehearsalsNetwork) {
  Case c;
  c.network.width = 192;
  c.network.depth = 4;
  c.network.max_tokens = 16;
  c.samples = 512;  // so that the peak is large against what an allocator keeps
  c.lengths = {8, 11, 16, 6};
  expect_within(c);
}

TEST(Activations, OfALatentNetworkOf33MillionParameters) {
  Case c;
  c.network = {.input_size = 32,
               .channels = 4,
               .patch = 2,
               .width = 384,
               .depth = 12,
               .head_dim = 64,
               .caption_width = 4096,
               .max_tokens = 120};
  c.diffusion.prediction = nn::Prediction::noise;
  c.diffusion.learned_variance = true;
  c.samples = 8;
  c.lengths = {3, 120, 60, 31};
  expect_within(c);
}

}  // namespace
}  // namespace evd::train
