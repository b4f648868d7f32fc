// Samplers against diffusers', a network under guidance in the loop.
#include "nn/sampler.hpp"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "core/enum.hpp"
#include "nn/diffusion.hpp"
#include "nn/reference_network.hpp"

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

  static at::Tensor run(SamplerKind kind) {
    const c10::InferenceMode no_gradients;
    const Network network(layout_,
                          test::flat_of(test::pixart_of(*run_, "w."), layout_, at::kDouble));
    const TextKeys keys = network.keys_of(test::packed((*run_)["text"], (*run_)["mask"]));
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

TEST_F(Samplers, TrainingSeesWhatTheScriptsOfDiffusersSee) {
  DiffusionOptions options;
  options.prediction = Prediction::v;
  const Schedule schedule(options);
  const at::Tensor z0 = (*run_)["z"];
  const at::Tensor noise = (*run_)["noise.0"];
  const at::Tensor times = (*run_)["times"];
  const std::vector<int> timesteps = {times[0].item<int>(), times[1].item<int>()};
  const Diffusion diffusion(schedule, options, timesteps, at::kDouble);
  EXPECT_LT(test::error_of(diffusion.noised(z0, noise), (*run_)["noised"]), 1e-12);
  EXPECT_LT(diffusion.loss((*run_)["velocity"], z0, noise).max().item<double>(), 1e-24);

  const at::Tensor snr = (*run_)["snr"];
  for (const double gamma : {1.0, 5.0}) {
    const auto of_noise = min_snr_weights(schedule, Prediction::noise, gamma);
    const auto of_v = min_snr_weights(schedule, Prediction::v, gamma);
    for (std::int64_t t = 0; t < 1000; ++t) {
      const double theirs = snr[t].item<double>();
      const auto i = static_cast<std::size_t>(t);
      EXPECT_NEAR(of_noise[i], std::min(theirs, gamma) / theirs, 1e-6);
      EXPECT_NEAR(of_v[i], std::min(theirs, gamma) / (theirs + 1), 1e-6);
    }
  }
}

}  // namespace
}  // namespace evd::nn
