// Blocks that backward computes anew: the same bits, hooks run once, less is kept.
#include "nn/recompute.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "nn/network_case.hpp"

namespace evd::nn {
namespace {

using test::NetworkCase;

/// Counts the bytes of tensors that live while it stands.
class LiveBytes {
 public:
  LiveBytes()
      : counter_(std::make_shared<Counter>()),
        guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}
  [[nodiscard]] std::int64_t now() const { return counter_->bytes; }

 private:
  struct Counter final : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t,
                           c10::Device) override {
      bytes += size;
    }
    void reportOutOfMemory(std::int64_t, std::size_t, std::size_t, c10::Device) override {}
    [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }
    std::int64_t bytes = 0;
  };
  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

struct CountHook final : torch::autograd::PostAccumulateGradHook {
  explicit CountHook(int& count_) : count(count_) {}
  void operator()(const torch::autograd::Variable&) override { ++count; }
  int& count;
};

struct Passed {
  Passed(const NetworkCase& c, Kernels kernels, at::ScalarType dtype, bool recomputes)
      : network(c.network(kernels, dtype)) {
    network.require_gradients();
    if (recomputes) network.recompute_blocks();
    for (std::size_t i = 0; i < network.parameters().size(); ++i) {
      torch::autograd::impl::set_post_acc_grad_hooks(network.parameters()[i],
                                                     std::make_unique<CountHook>(hooks[i]));
    }
    const LiveBytes live;
    out = c.output(network);
    kept_bytes = live.now();
    (out * out).sum().backward();
  }
  Network network;
  std::map<std::size_t, int> hooks;
  at::Tensor out;
  std::int64_t kept_bytes = 0;
};

TEST(Recompute, GivesTheSameBitsAndKeepsLess) {
  for (const auto norm : {QkNorm::none, QkNorm::cross, QkNorm::self_cross}) {
    for (const auto kernels : {Kernels::fused, Kernels::composed}) {
      for (const auto dtype : {at::kFloat, at::kDouble}) {
        const NetworkCase c(norm, true);
        const Passed plain(c, kernels, dtype, false);
        const Passed again(c, kernels, dtype, true);
        EXPECT_TRUE(at::equal(plain.out, again.out));
        for (std::size_t i = 0; i < plain.network.parameters().size(); ++i) {
          const auto& name = c.layout.parameters()[i].name;
          ASSERT_TRUE(again.network.parameters()[i].grad().defined()) << name;
          EXPECT_TRUE(
              at::equal(plain.network.parameters()[i].grad(), again.network.parameters()[i].grad()))
              << name;
          EXPECT_EQ(again.hooks.at(i), 1) << name;
        }
        EXPECT_LT(2 * again.kept_bytes, plain.kept_bytes);
      }
    }
  }
}

TEST(Recompute, WithoutGradientsNothingIsKept) {
  const NetworkCase c(QkNorm::self_cross);
  Network network = c.network(Kernels::fused);
  network.recompute_blocks();
  EXPECT_TRUE(at::equal(c.output(network), c.output(c.network(Kernels::fused))));
  EXPECT_FALSE(c.output(network).requires_grad());
}

}  // namespace
}  // namespace evd::nn
