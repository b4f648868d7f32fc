#include "nn/vae.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "core/error.hpp"
#include "nn/reference_run.hpp"
#include "nn/safetensors.hpp"

namespace evd::nn {
namespace {

using test::error_of;

constexpr double kDoubleBound = 1e-8;
constexpr double kFloatBound = 5e-5;

struct Case {
  std::string name;
  nlohmann::json is;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> value = {
      {"two",
       {{"widths", {32, 64}},
        {"groups", 8},
        {"layers", 1},
        {"latents", 4},
        {"tile", 16},
        {"size", {2, 22, 34}},
        {"large_size", {2, 46, 34}}}},
      {"four",
       {{"widths", {32, 32, 64, 64}},
        {"groups", 32},
        {"layers", 2},
        {"latents", 4},
        {"tile", 32},
        {"size", {1, 40, 24}},
        {"large_size", {1, 56, 104}},
        {"renamed", true}}},
      {"bare",
       {{"widths", {16, 32, 48}},
        {"groups", 8},
        {"layers", 2},
        {"latents", 3},
        {"tile", 16},
        {"size", {1, 20, 12}},
        {"large_size", {1, 12, 36}},
        {"bare", true}}},
      {"wide",
       {{"widths", {16, 16}},
        {"groups", 8},
        {"layers", 1},
        {"latents", 4},
        {"tile", 8},
        {"size", {1, 10, 6}},
        {"large_size", {1, 20, 14}},
        {"wide", true}}},
  };
  return value;
}

const test::ReferenceRun& reference() {
  static const test::ReferenceRun run = [] {
    nlohmann::json all;
    for (const auto& one : cases()) all[one.name] = one.is;
    const nlohmann::json mistakes = {{"two", {"epsilon", "padding", "attention", "heads", "seams"}},
                                     {"wide", {"clamp"}}};
    return test::ReferenceRun("vae_reference.py",
                              {std::to_string(test::fresh_seed()), all.dump(), mistakes.dump()});
  }();
  return run;
}

/// Errors of what a network makes of a case's inputs, by name. `prefix` says whose outputs they are
/// compared with.
std::map<std::string, double> errors(const Vae& vae, const Case& one, const std::string& prefix) {
  const auto& run = reference();
  std::map<std::string, double> found;
  for (const std::string size : {"", "large_"}) {
    const int tile = size.empty() ? 0 : one.is["tile"].get<int>();
    const auto input = [&](const std::string& name) { return run[one.name + "." + size + name]; };
    const auto wanted = [&](const std::string& name) {
      return run[prefix + one.name + "." + size + name];
    };
    const auto posterior = vae.encode(input("pictures"), tile);
    found[size + "mean"] = error_of(posterior.mean, wanted("mean"));
    // Of the logarithm, so that the few largest do not hide the others.
    found[size + "std"] = error_of(posterior.std.to(at::kDouble).log(), wanted("std").log());
    found[size + "decoded"] = error_of(vae.decode(input("latents"), tile), wanted("decoded"));
  }
  return found;
}

Vae open(const Case& one, at::ScalarType dtype, const std::string& file = "") {
  const auto folder = reference().file(one.name);
  return Vae(
      read_vae_options(folder),
      WeightSet::open(folder / (file.empty() ? "diffusion_pytorch_model.safetensors" : file)),
      dtype);
}

TEST(Vae, EqualsDiffusersInDouble) {
  for (const auto& one : cases()) {
    for (const auto& [what, error] : errors(open(one, at::kDouble), one, "")) {
      EXPECT_LE(error, kDoubleBound) << one.name << " " << what;
    }
  }
}

TEST(Vae, EqualsDiffusersInSinglePrecision) {
  for (const auto& one : cases()) {
    for (const auto& [what, error] : errors(open(one, at::kFloat), one, "")) {
      EXPECT_LE(error, kFloatBound) << one.name << " " << what;
    }
  }
}

struct Mistake {
  const char* name;
  std::size_t of;
  std::vector<std::string> seen_in;
};

class VaeMistake : public testing::TestWithParam<Mistake> {};

TEST_P(VaeMistake, InTheReferenceIsSeen) {
  const auto& mistake = GetParam();
  const auto& one = cases()[mistake.of];
  auto found = errors(open(one, at::kDouble), one, std::string(mistake.name) + ".");
  for (const auto& what : mistake.seen_in) {
    EXPECT_GT(found.at(what), 10 * kDoubleBound) << what;
    found.erase(what);
  }
  for (const auto& [what, error] : found) EXPECT_LE(error, kDoubleBound) << what;
}

INSTANTIATE_TEST_SUITE_P(
    Each, VaeMistake,
    testing::Values(
        Mistake{
            "epsilon", 0, {"mean", "std", "decoded", "large_mean", "large_std", "large_decoded"}},
        Mistake{"padding", 0, {"mean", "std", "large_mean", "large_std"}},
        Mistake{
            "attention", 0, {"mean", "std", "decoded", "large_mean", "large_std", "large_decoded"}},
        Mistake{"heads", 0, {"mean", "std", "decoded", "large_mean", "large_std", "large_decoded"}},
        Mistake{"seams", 0, {"large_mean", "large_std", "large_decoded"}},
        Mistake{"clamp", 3, {"std", "large_std"}}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Vae, LogVariancesAreClampedAtBothEnds) {
  const auto std = reference()["wide.std"].log();
  EXPECT_EQ(std.min().item<double>(), -15);
  EXPECT_EQ(std.max().item<double>(), 10);
}

TEST(Vae, OlderNamesGiveTheSameNetwork) {
  const auto& one = cases()[1];
  for (const auto* file : {"old.safetensors", "ldm.safetensors"}) {
    for (const auto& [what, error] : errors(open(one, at::kDouble, file), one, "")) {
      EXPECT_LE(error, kDoubleBound) << file << " " << what;
    }
  }
}

TEST(Vae, ATileThatHoldsThePictureChangesNothing) {
  const auto vae = open(cases()[0], at::kFloat);
  const auto latents = reference()["two.latents"];  // 11 x 17
  EXPECT_TRUE(vae.decode(latents, 40).equal(vae.decode(latents)));
  EXPECT_FALSE(vae.decode(latents, 32).equal(vae.decode(latents)));
}

TEST(Vae, ScaledLatentsAreDividedByTheConfiguredFactor) {
  const auto vae = open(cases()[0], at::kDouble);
  EXPECT_EQ(vae.options().scaling_factor, 0.5);
  const auto latents = reference()["two.latents"];
  EXPECT_LE(error_of(vae.decode_scaled(latents * 0.5), vae.decode(latents)), kDoubleBound);
}

/// A network of random weights, without diffusers.
class RandomVae : public testing::Test {
 protected:
  WeightSet weights(const VaeOptions& options) {
    std::vector<std::vector<float>> values;
    std::vector<NamedTensor> tensors;
    for (const auto& wanted : vae_tensors(options)) {
      const auto random = (at::randn(wanted.shape) * 0.05).contiguous();
      const auto* data = random.const_data_ptr<float>();
      values.emplace_back(data, data + random.numel());
      tensors.emplace_back(wanted.name, wanted.shape, values.back());
    }
    write_safetensors(folder_ / "vae.safetensors", tensors, {});
    return WeightSet::open(folder_ / "vae.safetensors");
  }
  evd::test::TempDir folder_;
};

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST_F(RandomVae, AttentionOverALargeMapTakesNoSquareOfItsPlaces) {
  const VaeOptions options{.widths = {8}, .layers = 1, .groups = 8};
  const Vae vae(options, weights(options));
  const auto latents = at::randn({1, 4, 128, 128});  // all pairs of places: 1 GiB
  const long before = peak_kib();
  const auto pictures = vae.decode(latents);
  EXPECT_EQ(pictures.size(3), 128);
  EXPECT_LT(peak_kib() - before, 200 * 1024);
}

template <class E, class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(RandomVae, WrongShapesAreToldWithTheRightOnes) {
  const VaeOptions options{.widths = {8, 8, 8}, .layers = 1, .groups = 4};
  const Vae vae(options, weights(options));
  const auto encode = [&](at::IntArrayRef shape) {
    return message_of<DataError>([&] { static_cast<void>(vae.encode(at::zeros(shape))); });
  };
  const std::string wanted =
      " instead of [B,3,4 x h,4 x w] (sides are multiples of 4: cut or resize the pictures)";
  EXPECT_EQ(encode({1, 3, 10, 12}), "pictures of shape [1,3,10,12]" + wanted);
  EXPECT_EQ(encode({1, 3, 12, 10}), "pictures of shape [1,3,12,10]" + wanted);
  EXPECT_EQ(encode({1, 1, 8, 8}), "pictures of shape [1,1,8,8]" + wanted);
  EXPECT_EQ(encode({3, 8, 8}), "pictures of shape [3,8,8]" + wanted);
  EXPECT_EQ(encode({0, 3, 8, 8}), "pictures of shape [0,3,8,8]" + wanted);
  EXPECT_EQ(encode({1, 3, 0, 8}), "pictures of shape [1,3,0,8]" + wanted);
  EXPECT_EQ(message_of<DataError>([&] {
              static_cast<void>(vae.decode(at::zeros({1, 8, 3, 3})));
            }),
            "latents of shape [1,8,3,3] instead of [B,4,h,w]");
  for (const int tile : {-16, 8, 20}) {
    EXPECT_NE(message_of<ConfigurationError>([&] {
                static_cast<void>(vae.decode(at::zeros({1, 4, 3, 3}), tile));
              }).find("take a multiple of 16"),
              std::string::npos)
        << tile;
  }
}

TEST_F(RandomVae, WeightsOfAnotherNetworkAreToldByName) {
  VaeOptions options{.widths = {8, 8}, .layers = 1, .groups = 4};
  const auto set = weights(options);
  const auto open = [&](const VaeOptions& other) {
    return message_of<DataError>([&] { Vae(other, set); });
  };
  VaeOptions other = options;
  other.widths = {8, 12};
  EXPECT_NE(open(other).find("[8,8,3,3] instead of [12,8,3,3]"), std::string::npos) << open(other);
  other = options;
  other.quant_conv = false;
  EXPECT_NE(open(other).find("unexpected tensors quant_conv.bias, quant_conv.weight"),
            std::string::npos)
      << open(other);
  other = options;
  other.layers = 2;
  EXPECT_NE(open(other).find("missing tensors encoder.down_blocks.0.resnets.1.norm1.weight"),
            std::string::npos)
      << open(other);
}

}  // namespace
}  // namespace evd::nn
