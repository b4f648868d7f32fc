#include "nn/operator_times.hpp"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "nn/fused.hpp"

namespace evd::nn {
namespace {

TEST(OperatorTimes, AreEachOperatorsOwnForwardAndBackward) {
  const at::Tensor x = at::zeros({2, 64, 256}).normal_().requires_grad_();
  const at::Tensor weight = at::zeros({256, 256}).normal_();
  const double begun_s = monotonic_s();
  std::map<std::string, double> seconds;
  {
    const OperatorTimes times;
    for (int i = 0; i < 20; ++i) gelu(at::linear(x, weight), Kernels::fused).sum().backward();
    seconds = times.seconds();
  }
  const double all_s = monotonic_s() - begun_s;
  double sum_s = 0;
  for (const auto& [name, own_s] : seconds) {
    EXPECT_GE(own_s, 0) << name;
    sum_s += own_s;
  }
  EXPECT_LE(sum_s, all_s);
  // The product is what linear calls: linear's own time is without it.
  EXPECT_GT(seconds.at("aten::mm"), seconds.at("aten::linear"));
  EXPECT_GT(seconds.at("evd::gelu"), 0);
  const auto backward = std::find_if(seconds.begin(), seconds.end(), [](const auto& entry) {
    return entry.first.find("GeluFunction") != std::string::npos;
  });
  EXPECT_NE(backward, seconds.end());
}

TEST(OperatorTimes, EndWithTheObject) {
  { const OperatorTimes times; }
  const OperatorTimes later;
  EXPECT_TRUE(later.seconds().empty());
  const at::Tensor x = at::zeros({4, 4}) + 1;
  EXPECT_GT(later.seconds().at("aten::add"), 0);
}

}  // namespace
}  // namespace evd::nn
