// The transformer against diffusers' on random networks, and our names against theirs.
#include <cmath>
#include <cstdio>
#include <fstream>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "nn/composed.hpp"
#include "nn/network.hpp"
#include "nn/pixart_names.hpp"
#include "nn/reference_network.hpp"
#include "nn/weight_tensor.hpp"

namespace evd::nn {
namespace {

using test::error_of;
using Json = nlohmann::json;

class Pixart : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    run_ = new test::ReferenceRun("pixart.py", {std::to_string(test::fresh_seed())});
    std::ifstream file(run_->file("cases.json"));
    cases_ = Json::parse(file);
    ASSERT_EQ(cases_.size(), 6U);
  }
  static void TearDownTestSuite() { delete run_; }

  static inline test::ReferenceRun* run_ = nullptr;
  static inline Json cases_;
};

/// One of the reference's cases with our network for it.
struct Case {
  Case(const test::ReferenceRun& run_, const Json& json, std::size_t index)
      : run(run_),
        prefix(std::to_string(index) + "."),
        told(json.dump()),
        layout(network_options(json), diffusion_options(json)) {}

  static NetworkOptions network_options(const Json& c) {
    NetworkOptions n;
    n.input_size = c["input_size"];
    n.channels = c["channels"];
    n.patch = c["patch"];
    n.head_dim = c["head_dim"];
    n.width = n.head_dim * c["heads"].get<int>();
    n.depth = c["depth"];
    n.caption_width = c["caption_width"];
    n.max_tokens = c["max_tokens"];
    n.multi_aspect = c["multi_aspect"];
    n.interpolation = c["interpolation"];
    const std::string norm = c["qk_norm"];
    n.qk_norm = norm == "none"    ? QkNorm::none
                : norm == "cross" ? QkNorm::cross
                                  : QkNorm::self_cross;
    return n;
  }
  static DiffusionOptions diffusion_options(const Json& c) {
    DiffusionOptions d;
    d.prediction = Prediction::noise;
    d.learned_variance = c["learned"];
    return d;
  }

  [[nodiscard]] at::Tensor input(const std::string& name, at::ScalarType dtype) const {
    return run[prefix + "x." + name].to(dtype);
  }
  /// The tensors that diffusers calls prefix + kind + name, under the original names.
  [[nodiscard]] WeightSet weights(const std::string& kind) const {
    return test::pixart_of(run, prefix + kind + ".");
  }
  [[nodiscard]] at::Tensor flat(at::ScalarType dtype) const {
    const auto set = weights("w");
    EXPECT_EQ(set.tensors().size(), layout.parameters().size()) << told;
    return test::flat_of(set, layout, dtype);
  }
  [[nodiscard]] TextBatch text(at::ScalarType dtype) const {
    return test::packed(input("text", dtype), run[prefix + "x.mask"]);
  }
  [[nodiscard]] at::Tensor output(const Network& network) const {
    const auto dtype = network.stream_dtype();
    PictureShapes shapes;
    if (layout.network().multi_aspect) shapes = {input("size", dtype), input("aspect", dtype)};
    return network.forward(input("z", dtype), input("t", dtype), network.keys_of(text(dtype)),
                           shapes);
  }

  const test::ReferenceRun& run;
  std::string prefix;
  std::string told;
  Layout layout;
};

/// Ours run forward and backward: the output, and gradients by name.
struct Passed {
  Passed(const Case& c, Kernels kernels, at::ScalarType dtype)
      : network(c.layout, c.flat(dtype), kernels) {
    network.require_gradients();
    const at::Tensor result = c.output(network);
    (result * c.input("mix", result.scalar_type())).sum().backward();
    out = result.detach();
  }
  Network network;
  at::Tensor out;
};

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

TEST_F(Pixart, OutputsAndGradientsEqualDiffusersInDouble) {
  double worst_output = 0;
  double worst_gradient = 0;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const Case c(*run_, cases_[i], i);
    const auto wanted = c.weights("g");
    double highest = 0;
    for (const auto& [name, tensor] : wanted.tensors()) {
      highest = std::max(highest, largest(view_of(tensor)));
    }
    for (const auto kernels : {Kernels::composed, Kernels::fused}) {
      const Passed ours(c, kernels, at::kDouble);
      const double error = error_of(ours.out, (*run_)[c.prefix + "out"]);
      EXPECT_LT(error, 1e-8) << c.told;
      worst_output = std::max(worst_output, error);
      for (std::size_t j = 0; j < ours.network.parameters().size(); ++j) {
        const auto& p = c.layout.parameters()[j];
        const at::Tensor gradient = ours.network.parameters()[j].grad();
        const at::Tensor theirs = view_of(wanted.at(p.name, p.shape));
        // Zero in theory is noise on both sides: it has no scale of its own.
        if (largest(theirs) < 1e-12 * highest) {
          EXPECT_LT(largest(gradient - theirs), 1e-8 * highest) << p.name << " of " << c.told;
        } else {
          const double gradient_error = error_of(gradient, theirs);
          EXPECT_LT(gradient_error, 1e-7) << p.name << " of " << c.told;
          worst_gradient = std::max(worst_gradient, gradient_error);
        }
      }
    }
  }
  std::printf("largest error: outputs %.1e, gradients %.1e\n", worst_output, worst_gradient);
}

// A gradient that is the small difference of large ones has the rounding of those: a ten-millionth
// of the largest gradient is allowed beside the share of its own.
TEST_F(Pixart, OutputsAndGradientsEqualDiffusersInFloat) {
  double worst = 0;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const Case c(*run_, cases_[i], i);
    const auto wanted = c.weights("g32");
    double highest = 0;
    for (const auto& [name, tensor] : wanted.tensors()) {
      highest = std::max(highest, largest(view_of(tensor)));
    }
    for (const auto kernels : {Kernels::composed, Kernels::fused}) {
      const Passed ours(c, kernels, at::kFloat);
      const double error = error_of(ours.out, (*run_)[c.prefix + "out32"]);
      EXPECT_LT(error, 3e-6) << c.told;
      worst = std::max(worst, error);
      for (std::size_t j = 0; j < ours.network.parameters().size(); ++j) {
        const auto& p = c.layout.parameters()[j];
        const at::Tensor theirs = view_of(wanted.at(p.name, p.shape));
        const double difference = largest(ours.network.parameters()[j].grad() - theirs);
        EXPECT_LT(difference, 5e-5 * largest(theirs) + 1e-7 * highest) << p.name << c.told;
      }
    }
  }
  std::printf("largest error: outputs %.1e\n", worst);
}

/// |x - wanted| / |wanted|, squared.
double square_error(const at::Tensor& x, const at::Tensor& wanted) {
  const at::Tensor exact = wanted.to(at::kDouble);
  return ((x.to(at::kDouble) - exact).pow(2).sum() / exact.pow(2).sum()).item<double>();
}

// In bfloat16 both round; ours must not round more, over all cases and their gradients.
TEST_F(Pixart, Bfloat16ErrsNoMoreThanPyTorchsAutocast) {
  double ours_out = 0, theirs_out = 0, ours_gradient = 0, theirs_gradient = 0;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const Case c(*run_, cases_[i], i);
    const Passed ours(c, Kernels::fused, at::kBFloat16);
    const at::Tensor wanted = (*run_)[c.prefix + "out"];
    ASSERT_EQ(ours.out.scalar_type(), at::kFloat);
    ours_out += square_error(ours.out, wanted);
    theirs_out += square_error((*run_)[c.prefix + "out16"], wanted);
    const auto exact = c.weights("g");
    const auto autocast = c.weights("g16");
    std::vector<at::Tensor> mine, their, truth;
    for (std::size_t j = 0; j < ours.network.parameters().size(); ++j) {
      const auto& p = c.layout.parameters()[j];
      mine.push_back(ours.network.parameters()[j].grad().flatten().to(at::kDouble));
      their.push_back(view_of(autocast.at(p.name, p.shape)).flatten().to(at::kDouble));
      truth.push_back(view_of(exact.at(p.name, p.shape)).flatten().to(at::kDouble));
    }
    ours_gradient += square_error(at::cat(mine), at::cat(truth));
    theirs_gradient += square_error(at::cat(their), at::cat(truth));
  }
  const double out = std::sqrt(ours_out / theirs_out);
  const double gradient = std::sqrt(ours_gradient / theirs_gradient);
  std::printf("ours over autocast: outputs %.2f, gradients %.2f\n", out, gradient);
  EXPECT_LT(out, 1.2);
  EXPECT_LT(gradient, 1.2);
  EXPECT_GT(out, 0.5);  // else this is no bfloat16
}

TEST_F(Pixart, MistakesAreSeen) {
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const Case c(*run_, cases_[i], i);
    const at::Tensor out = c.output(Network(c.layout, c.flat(at::kDouble), Kernels::fused));
    const std::string start = c.prefix + "wrong.";
    for (const auto& [name, tensor] : run_->out().tensors()) {
      if (!name.starts_with(start)) continue;
      const std::string mistake = name.substr(start.size());
      EXPECT_GT(error_of(out, view_of(tensor)), 2e-8) << mistake << " in " << c.told;
      ++seen[mistake];
    }
  }
  EXPECT_EQ(seen.size(), 7U);
}

TEST_F(Pixart, TheGpusPaddedCrossAttentionIsTheSame) {
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const Case c(*run_, cases_[i], i);
    const auto& n = c.layout.network();
    const Network network(c.layout, c.flat(at::kDouble), Kernels::composed);
    const TextKeys keys = network.keys_of(c.text(at::kDouble));
    const at::Tensor q =
        at::zeros({std::int64_t(keys.lengths.size()), 5, n.width}, at::kDouble).normal_();
    const auto each = cross_attention(q, keys.kv[0], keys.lengths, n.width / n.head_dim,
                                      HeadNorm::layer_norm, Kernels::composed);
    const auto padded =
        composed::padded_cross_attention(q, keys.kv[0], padding_of(keys.lengths, at::kDouble),
                                         n.width / n.head_dim, HeadNorm::layer_norm);
    EXPECT_LT(error_of(padded, each), 1e-14) << c.told;
  }
}

// With the norm no logit can exceed the square root of a head's channels; without, it is what the
// products say.
TEST_F(Pixart, AttentionLogitsAreThoseOfTheProducts) {
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const Case c(*run_, cases_[i], i);
    const auto& n = c.layout.network();
    const Network network(c.layout, c.flat(at::kDouble), Kernels::fused);
    PictureShapes shapes;
    if (n.multi_aspect) shapes = {c.input("size", at::kDouble), c.input("aspect", at::kDouble)};
    const auto logits =
        network.attention_logits(c.input("z", at::kDouble), c.input("t", at::kDouble),
                                 network.keys_of(c.text(at::kDouble)), shapes);
    ASSERT_EQ(logits.size(), std::size_t(n.depth));
    const double bound = std::sqrt(double(n.head_dim)) * (1 + 1e-6);
    for (const auto& block : logits) {
      EXPECT_GT(block.self, 0);
      EXPECT_GT(block.cross, 0);
      if (n.qk_norm == QkNorm::self_cross) {
        EXPECT_LE(block.self, bound) << c.told;
      }
      if (n.qk_norm != QkNorm::none) {
        EXPECT_LE(block.cross, bound) << c.told;
      }
    }
  }
  at::Tensor q = at::zeros({2, 3, 4}, at::kDouble);
  at::Tensor k = at::zeros({2, 5, 4}, at::kDouble);
  q[1][2][3] = 6.0;  // of the second head of two
  k[1][4][3] = -5.0;
  EXPECT_DOUBLE_EQ(composed::largest_logit(q, k, 2, HeadNorm::none), 30 / std::sqrt(2.0));
}

TEST_F(Pixart, NamesThereAndBackGiveTheSameBytes) {
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const Case c(*run_, cases_[i], i);
    const auto original = c.weights("w");
    const auto theirs = with_diffusers_names(original);
    EXPECT_EQ(pixart_names(theirs), PixartNames::diffusers);
    const auto again = with_original_names(theirs);
    ASSERT_EQ(again.tensors().size(), original.tensors().size());
    for (const auto& [name, tensor] : original.tensors()) {
      const auto& other = again.at(name, tensor.shape);
      EXPECT_EQ(std::vector<std::byte>(other.elements.begin(), other.elements.end()),
                std::vector<std::byte>(tensor.elements.begin(), tensor.elements.end()))
          << name;
    }
    // Every name of diffusers' own state dict, and no other.
    for (const auto& [name, tensor] : theirs.tensors()) {
      EXPECT_TRUE(run_->has(c.prefix + "w." + name)) << name;
    }
  }
}

TEST_F(Pixart, NamesThatAreNotKnownAreTold) {
  const Case c(*run_, cases_[0], 0);
  const auto original = c.weights("w");
  const auto problem = [&](const std::function<void(WeightSet::Tensors&)>& change) {
    auto tensors = with_diffusers_names(original).tensors();
    change(tensors);
    try {
      static_cast<void>(with_original_names(original.with(tensors, nullptr)));
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const std::string key = "transformer_blocks.0.attn1.to_k.weight";
  EXPECT_NE(problem([&](auto& t) { t.erase(key); }).find(key + " is missing"), std::string::npos);
  EXPECT_NE(problem([&](auto& t) { t["up.weight"] = t[key]; }).find("up.weight is unknown"),
            std::string::npos);
  EXPECT_NE(problem([&](auto& t) { t[key] = t["pos_embed.proj.weight"]; }).find("is unlike"),
            std::string::npos);
  EXPECT_NE(problem([&](auto& t) { t.clear(); }).find("neither"), std::string::npos);
}

}  // namespace
}  // namespace evd::nn
