// Samplers against diffusers', a network under guidance in the loop.
#include "nn/sampler.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "core/enum.hpp"
#include "nn/pixart_names.hpp"
#include "nn/reference_run.hpp"
#include "nn/weight_tensor.hpp"

namespace evd::nn {
namespace {

constexpr int kSteps = 20;
constexpr double kGuidance = 4.5;

Layout layout_of_reference() {
  NetworkOptions n;
  n.input_size = 12;
  n.channels = 4;
  n.patch = 2;
  n.width = 24;
  n.head_dim = 8;
  n.depth = 2;
  n.caption_width = 10;
  n.max_tokens = 6;
  n.qk_norm = QkNorm::none;
  DiffusionOptions d;
  d.prediction = Prediction::noise;
  d.learned_variance = true;
  return {n, d};
}

class Samplers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    run_ = new test::ReferenceRun(
        "samplers.py",
        {std::to_string(test::fresh_seed()), std::to_string(kSteps), std::to_string(kGuidance)});
  }
  static void TearDownTestSuite() { delete run_; }

  static at::Tensor flat() {
    WeightSet::Tensors tensors;
    for (const auto& [name, tensor] : run_->out().tensors()) {
      if (name.starts_with("w.")) tensors[name.substr(2)] = tensor;
    }
    const auto set = with_original_names(run_->out().with(tensors, nullptr));
    at::Tensor all = at::zeros({static_cast<std::int64_t>(layout_.size())}, at::kDouble);
    for (const auto& p : layout_.parameters()) {
      all.narrow(0, static_cast<std::int64_t>(p.offset), static_cast<std::int64_t>(p.count))
          .copy_(view_of(set.at(p.name, p.shape)).flatten());
    }
    return all;
  }
  static TextBatch text() {
    TextBatch batch;
    std::vector<at::Tensor> rows;
    const at::Tensor states = (*run_)["text"];
    const at::Tensor lengths = (*run_)["mask"].sum(1);
    for (std::int64_t i = 0; i < states.size(0); ++i) {
      batch.lengths.push_back(lengths[i].item<std::int64_t>());
      rows.push_back(states[i].narrow(0, 0, batch.lengths.back()));
    }
    batch.states = at::cat(rows);
    return batch;
  }
  static at::Tensor run(SamplerKind kind) {
    const c10::InferenceMode no_gradients;
    const Network network(layout_, flat());
    const TextKeys keys = network.keys_of(text());
    const auto plan = sampling_plan(Schedule(layout_.diffusion()), kind, kSteps);
    return sample(guided(network, keys, kGuidance), plan, Prediction::noise, (*run_)["z"],
                  [](std::size_t i) { return (*run_)["noise." + std::to_string(i)]; });
  }

  static inline test::ReferenceRun* run_ = nullptr;
  static inline const Layout layout_ = layout_of_reference();
};

TEST_F(Samplers, EndWhereThoseOfDiffusersEnd) {
  for (const auto kind : {SamplerKind::ddim, SamplerKind::ddim_trailing, SamplerKind::dpmpp,
                          SamplerKind::iddpm, SamplerKind::sa}) {
    const at::Tensor wanted = (*run_)["end." + std::string(name(kind))];
    EXPECT_LT(test::error_of(run(kind), wanted), 1e-5) << name(kind);
  }
}

// Otherwise the test above could not tell them from one another.
TEST_F(Samplers, EachEndsElsewhere) {
  const at::Tensor ddim = run(SamplerKind::ddim);
  for (const auto kind : {SamplerKind::ddim_trailing, SamplerKind::dpmpp,
                          SamplerKind::dpmpp_authors, SamplerKind::iddpm, SamplerKind::sa}) {
    EXPECT_GT(test::error_of(run(kind), ddim), 1e-3) << name(kind);
  }
}

}  // namespace
}  // namespace evd::nn
