#include "nn/t5.hpp"

#include <array>
#include <functional>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/reference_run.hpp"
#include "nn/safetensors.hpp"

namespace evd::nn {
namespace {

using test::ReferenceRun;

using Texts = std::vector<std::vector<int>>;

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

Texts texts_of(const ReferenceRun& reference) {
  const at::Tensor ids = reference["ids"];
  const at::Tensor lengths = reference["lengths"];
  Texts texts;
  const auto* next = ids.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < lengths.numel(); ++i) {
    const std::int64_t length = lengths.const_data_ptr<std::int64_t>()[i];
    texts.emplace_back(next, next + length);
    next += length;
  }
  return texts;
}

T5Encoder encoder_of(const ReferenceRun& reference, at::ScalarType dtype) {
  return {WeightSet::open(reference.file("model.safetensors")),
          read_t5_options(reference.file("config.json")), dtype};
}

// Of weights N(0, deviation); the mistakes, each alone, must stand out.
void expect_equal_in_double(const std::string& deviation, std::span<const char* const> mistakes) {
  const ReferenceRun reference("t5_reference.py",
                               {std::to_string(test::fresh_seed()), "float64", deviation});
  auto encoder = encoder_of(reference, at::kDouble);
  const auto texts = texts_of(reference);
  const auto encoded = encoder.encode(texts);
  ASSERT_EQ(encoded.lengths, (std::vector<std::int64_t>{1, 7, 150, 33, 290}));
  const double error = test::error_of(encoded.states, reference["states"]);
  std::printf("deviation %s: error %.3g", deviation.c_str(), error);
  EXPECT_LE(error, 1e-8);
  for (const char* mistake : mistakes) {
    const double large = test::error_of(encoded.states, reference[mistake]);
    std::printf(", %s %.3g", mistake, large);
    EXPECT_GT(large, 1e-7) << mistake;
  }
  std::printf("\n");
}

// So small weights leave GELU almost linear, whichever it is.
TEST(T5, EqualsTransformersInDouble) {
  expect_equal_in_double("0.05", std::array{"bucket", "mask", "scale", "eps"});
}
// Attention that singles out tokens, where the weights above nearly average.
TEST(T5, EqualsTransformersInDoubleWithLargeWeights) {
  expect_equal_in_double("0.5", std::array{"bucket", "mask", "erf", "scale", "eps"});
}

class Single : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    reference_ = std::make_unique<ReferenceRun>(
        "t5_reference.py",
        std::vector<std::string>{std::to_string(test::fresh_seed()), "float32", "0.05"});
  }
  static void TearDownTestSuite() { reference_.reset(); }

  static std::unique_ptr<ReferenceRun> reference_;
};
std::unique_ptr<ReferenceRun> Single::reference_;

TEST_F(Single, EqualsTransformersInFloat) {
  auto encoder = encoder_of(*reference_, at::kFloat);
  const double error =
      test::error_of(encoder.encode(texts_of(*reference_)).states, (*reference_)["states"]);
  std::printf("error in float %.3g\n", error);
  EXPECT_LE(error, 3e-6);
}

TEST_F(Single, ATextAloneHasTheSameStates) {
  auto encoder = encoder_of(*reference_, at::kDouble);
  const auto texts = texts_of(*reference_);
  const auto all = encoder.encode(texts);
  std::int64_t first = 0;
  for (const auto& text : texts) {
    const auto alone = encoder.encode(std::span(&text, 1));
    const auto length = static_cast<std::int64_t>(text.size());
    EXPECT_LE(test::error_of(alone.states, all.states.narrow(0, first, length)), 1e-13);
    first += length;
  }
  EXPECT_EQ(first, all.states.size(0));
  EXPECT_EQ(encoder.encode({}).states.size(0), 0);
}

TEST_F(Single, WeightsOfEveryTypeAreWidened) {
  auto wide = encoder_of(*reference_, at::kFloat);
  const auto set = WeightSet::open(reference_->file("model.safetensors"));
  const evd::test::TempDir folder;
  for (const auto& [type, scalar] :
       {std::pair{TensorType::BF16, at::kBFloat16}, std::pair{TensorType::F16, at::kHalf}}) {
    std::vector<NamedTensor> narrow;
    std::vector<NamedTensor> rounded;
    std::vector<at::Tensor> keep;
    for (const auto& [name, tensor] : set.tensors()) {
      const auto values = to_floats(tensor.elements, tensor.type);
      keep.push_back(
          at::from_blob(const_cast<float*>(values.data()), tensor.shape, at::kFloat).to(scalar));
      const at::Tensor& low = keep.back();
      const auto count = static_cast<std::size_t>(low.numel());
      narrow.emplace_back(name, tensor.shape, type,
                          Bytes(static_cast<const std::byte*>(low.const_data_ptr()), count * 2));
      keep.push_back(low.to(at::kFloat));
      rounded.emplace_back(name, tensor.shape,
                           std::span(keep.back().const_data_ptr<float>(), count));
    }
    write_safetensors(folder / "narrow.safetensors", narrow, {});
    write_safetensors(folder / "rounded.safetensors", rounded, {});
    const auto options = wide.options();
    T5Encoder a(WeightSet::open(folder / "narrow.safetensors"), options, at::kFloat);
    T5Encoder b(WeightSet::open(folder / "rounded.safetensors"), options, at::kFloat);
    const auto texts = texts_of(*reference_);
    EXPECT_EQ(test::error_of(a.encode(texts).states, b.encode(texts).states), 0.0);
  }
}

TEST_F(Single, InBfloat16ItIsNearTheTruth) {
  auto exact = encoder_of(*reference_, at::kDouble);
  auto brief = encoder_of(*reference_, at::kBFloat16);
  const auto texts = texts_of(*reference_);
  EXPECT_LE(test::error_of(brief.encode(texts).states, exact.encode(texts).states), 0.03);
}

TEST_F(Single, BucketsAreThoseOfTransformers) {
  const at::Tensor buckets = (*reference_)["buckets"];
  for (std::int64_t i = 0; i < buckets.numel(); ++i) {
    ASSERT_EQ(relative_bucket(i - 700, {}), buckets.const_data_ptr<std::int64_t>()[i]) << i - 700;
  }
}

TEST(T5Bucket, BeginsWhereTheTableSays) {
  const std::vector<std::pair<int, int>> begins = {{0, 0},   {1, 1},   {7, 7},   {8, 8},
                                                   {12, 9},  {16, 10}, {23, 11}, {32, 12},
                                                   {46, 13}, {64, 14}, {91, 15}};
  for (const auto& [distance, bucket] : begins) {
    EXPECT_EQ(relative_bucket(-distance, {}), bucket) << distance;
    if (distance == 0) continue;
    EXPECT_EQ(relative_bucket(distance, {}), 16 + bucket) << distance;
    EXPECT_EQ(relative_bucket(1 - distance, {}), bucket - 1) << distance;
  }
  EXPECT_EQ(relative_bucket(100000, {}), 31);
  EXPECT_EQ(relative_bucket(-100000, {}), 15);
}

TEST_F(Single, WeightsThatDoNotFitAreNamed) {
  const auto options = read_t5_options(reference_->file("config.json"));
  const auto set = WeightSet::open(reference_->file("model.safetensors"));
  const auto refused = [&](const WeightSet::Tensors& tensors, const T5Options& shape) {
    return refusal([&] { T5Encoder(set.with(tensors, nullptr), shape, at::kFloat); });
  };
  const std::string wo = "encoder.block.1.layer.1.DenseReluDense.wo.weight";
  auto tensors = set.tensors();
  const auto moved = tensors.extract(wo).mapped();
  EXPECT_NE(refused(tensors, options).find("missing tensors " + wo), std::string::npos);
  tensors = set.tensors();
  tensors["encoder.more"] = moved;
  EXPECT_NE(refused(tensors, options).find("unexpected tensors encoder.more"), std::string::npos);
  tensors = set.tensors();
  tensors[wo].shape = {80, 48};
  EXPECT_NE(refused(tensors, options).find(wo + " [80,48] instead of [48,80]"), std::string::npos);
  tensors = set.tensors();
  tensors[wo].type = TensorType::I32;
  EXPECT_NE(refused(tensors, options).find(wo + " [48,80] is I32"), std::string::npos);
  EXPECT_NE(refusal([&] { T5Encoder(set, options, at::kHalf); }).find("float, double or bfloat16"),
            std::string::npos);

  // The other name of the tied table, and what a whole T5 holds besides.
  tensors = set.tensors();
  tensors["encoder.embed_tokens.weight"] = tensors.extract("shared.weight").mapped();
  tensors["lm_head.weight"] = moved;
  tensors["decoder.final_layer_norm.weight"] = moved;
  EXPECT_EQ(refused(tensors, options), "no error");
}

TEST_F(Single, TokensThatDoNotFitAreRefused) {
  auto encoder = encoder_of(*reference_, at::kFloat);
  const auto refused = [&](const Texts& texts) {
    return refusal([&] { static_cast<void>(encoder.encode(texts)); });
  };
  EXPECT_NE(refused({{1, 211}}).find("token 211 is outside"), std::string::npos);
  EXPECT_NE(refused({{-1}}).find("token -1 is outside"), std::string::npos);
  EXPECT_NE(refused({{1}, {}}).find("without tokens"), std::string::npos);
}

TEST(T5Configuration, OnlyT5OfVersion11IsTaken) {
  const evd::test::TempDir folder;
  const auto read = [&](const std::string& json) {
    evd::test::write_file(folder / "config.json", json);
    return refusal([&] { static_cast<void>(read_t5_options(folder.path())); });
  };
  const std::string sizes =
      R"("d_model":48,"d_kv":8,"num_heads":3,"d_ff":80,"num_layers":2,"vocab_size":211)";
  EXPECT_EQ(read(R"({"model_type":"t5","feed_forward_proj":"gated-gelu",)" + sizes + "}"),
            "no error");
  EXPECT_NE(read(R"({"model_type":"t5",)" + sizes + "}").find("feed_forward_proj is missing"),
            std::string::npos);
  EXPECT_NE(read(R"({"model_type":"t5","feed_forward_proj":"relu",)" + sizes + "}")
                .find("no T5 v1.1 encoder"),
            std::string::npos);
  EXPECT_NE(read(R"({"model_type":"umt5","feed_forward_proj":"gated-gelu",)" + sizes + "}")
                .find("model_type is \"umt5\""),
            std::string::npos);
  EXPECT_NE(read(R"({"model_type":"t5","feed_forward_proj":"gated-gelu","d_model":-1})")
                .find("d_model is -1"),
            std::string::npos);
  EXPECT_NE(read(R"({"model_type":"t5","feed_forward_proj":"gated-gelu","d_model":48})")
                .find("d_kv is missing"),
            std::string::npos);
  EXPECT_NE(read("{").find("no JSON object"), std::string::npos);
}

}  // namespace
}  // namespace evd::nn
