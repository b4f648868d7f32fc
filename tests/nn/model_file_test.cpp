#include "nn/model_file.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/small_network.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

using test::small_network;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ModelFile : public testing::Test {
 protected:
  evd::test::TempDir folder;
  Layout layout{small_network(), DiffusionOptions{}};
  Weights weights = start_weights(layout, 4);
  std::filesystem::path path = folder / "model.safetensors";

  std::string read_with(const NetworkOptions& network, const DiffusionOptions& diffusion = {}) {
    return message_of([&] { (void)read_model(path, Layout(network, diffusion)); });
  }
};

TEST_F(ModelFile, ComesBackAsWritten) {
  write_model(path, layout, weights);
  const auto back = read_model(path, layout);
  EXPECT_EQ(back.flat, weights.flat);
  EXPECT_EQ(back.null_text, weights.null_text);
  EXPECT_EQ(digest_of(layout, back), digest_of(layout, weights));
  EXPECT_NE(digest_of(layout, start_weights(layout, 5)), digest_of(layout, weights));
}

// The layer norm of queries and keys has no parameters: only the metadata tells the variants apart.
TEST_F(ModelFile, AnotherVariantIsRefused) {
  write_model(path, layout, weights);
  auto other = small_network();
  other.qk_norm = QkNorm::none;
  const auto message = read_with(other);
  EXPECT_TRUE(holds(message, "network.qk_norm = self_cross (configured: none)")) << message;
  DiffusionOptions noise;
  noise.prediction = Prediction::noise;
  EXPECT_TRUE(holds(read_with(small_network(), noise), "diffusion.prediction = v"));
}

TEST_F(ModelFile, AVariantThatIsNotToldIsNotGuessed) {
  auto tensors = named_tensors(layout, weights.flat, "");
  tensors.push_back({std::string(kNullTextName), {3, 6}, weights.null_text});
  write_safetensors(path, tensors, {});
  const auto message = read_with(small_network());
  EXPECT_TRUE(holds(message, "does not tell")) << message;
}

TEST_F(ModelFile, MissingUnexpectedAndMisshapenTensorsAreNamed) {
  auto tensors = named_tensors(layout, weights.flat, "");
  const auto null_text = NamedTensor{std::string(kNullTextName), {3, 6}, weights.null_text};

  tensors.pop_back();
  tensors.push_back(null_text);
  write_safetensors(path, tensors, metadata_of(layout));
  EXPECT_TRUE(holds(read_with(small_network()), "missing tensors x_embedder.proj.bias"));

  tensors = named_tensors(layout, weights.flat, "");
  tensors.push_back(null_text);
  tensors.push_back({"blocks.7.extra", {2}, std::span(weights.flat).first(2)});
  write_safetensors(path, tensors, metadata_of(layout));
  EXPECT_TRUE(holds(read_with(small_network()), "unexpected tensors blocks.7.extra"));

  tensors = named_tensors(layout, weights.flat, "");
  tensors.push_back(null_text);
  tensors.front().shape = {tensors.front().shape[1], tensors.front().shape[0]};
  write_safetensors(path, tensors, metadata_of(layout));
  EXPECT_TRUE(
      holds(read_with(small_network()), "final_layer.linear.weight [16,48] instead of [48,16]"));
}

}  // namespace
}  // namespace evd::nn
