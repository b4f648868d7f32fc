#include "train/tiny_encoders.hpp"

#include <cmath>
#include <list>

#include "core/error.hpp"
#include "core/random.hpp"
#include "nn/safetensors.hpp"
#include "nn/vae_options.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

void write_weights(const std::filesystem::path& file, const std::vector<nn::WantedTensor>& wanted,
                   std::uint64_t seed) {
  std::list<std::vector<float>> values;
  std::vector<nn::NamedTensor> tensors;
  for (const auto& [name, shape] : wanted) {
    std::size_t count = 1;
    std::size_t fan_in = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      count *= static_cast<std::size_t>(shape[i]);
      if (i > 0) fan_in *= static_cast<std::size_t>(shape[i]);
    }
    auto& numbers = values.emplace_back(count);
    Random random(seed, Purpose::test, sha256(name).low64());
    random.fill_normal(numbers);
    const bool is_norm = shape.size() == 1 && name.ends_with("weight");
    for (auto& number : numbers) {
      number *= 1 / std::sqrt(static_cast<float>(fan_in));
      if (shape.size() == 1) number = (is_norm ? 1.0F : 0.0F) + 0.1F * number;
    }
    tensors.emplace_back(name, shape, std::span<const float>(numbers));
  }
  nn::write_safetensors(file, std::move(tensors), {});
}

}  // namespace

void write_tiny_t5(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_file(folder / "config.json",
             R"({"model_type": "t5", "feed_forward_proj": "gated-gelu", "d_model": 16, "d_kv": 4,
 "num_heads": 2, "d_ff": 24, "num_layers": 2, "vocab_size": 100})");
  std::vector<nn::WantedTensor> wanted = {{"shared.weight", {100, 16}},
                                          {"encoder.final_layer_norm.weight", {16}}};
  const std::string block = "encoder.block.";
  wanted.push_back({block + "0.layer.0.SelfAttention.relative_attention_bias.weight", {32, 2}});
  for (const char* i : {"0", "1"}) {
    const std::string attention = block + i + ".layer.0.";
    const std::string mlp = block + i + ".layer.1.";
    wanted.push_back({attention + "layer_norm.weight", {16}});
    wanted.push_back({mlp + "layer_norm.weight", {16}});
    for (const char* part : {"q", "k", "v"})
      wanted.push_back({attention + "SelfAttention." + part + ".weight", {8, 16}});
    wanted.push_back({attention + "SelfAttention.o.weight", {16, 8}});
    wanted.push_back({mlp + "DenseReluDense.wi_0.weight", {24, 16}});
    wanted.push_back({mlp + "DenseReluDense.wi_1.weight", {24, 16}});
    wanted.push_back({mlp + "DenseReluDense.wo.weight", {16, 24}});
  }
  write_weights(folder / "model.safetensors", wanted, 1);
  const auto made = run(
      {.arguments = {test_torch_python(), (source_directory() / "tests/train/spiece.py").string(),
                     (folder / "spiece.model").string()}});
  if (made.code != 0) throw InternalError("no tokenizer: " + made.story());
}

void write_tiny_vae(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::string config =
      R"({"_class_name": "AutoencoderKL", "block_out_channels": [8, 8, 8, 8],
 "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
                      "DownEncoderBlock2D"],
 "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D",
                    "UpDecoderBlock2D"],
 "layers_per_block": 1, "norm_num_groups": 4, "latent_channels": 4, "sample_size": 256})";
  write_file(folder / "config.json", config);
  write_weights(folder / "diffusion_pytorch_model.safetensors",
                nn::vae_tensors(nn::parse_vae_options(config, "tiny VAE")), 2);
}

std::vector<std::string> multi_aspect_settings(const std::filesystem::path& t5,
                                               const std::filesystem::path& vae) {
  return {"network.text_encoder=t5",
          "network.caption_width=16",
          "network.max_tokens=12",
          "network.multi_aspect=true",
          "network.input_size=32",
          "network.channels=4",
          "network.patch=2",
          "network.width=24",
          "network.head_dim=12",
          "text.folder=" + t5.string(),
          "vae.folder=" + vae.string(),
          "train.steps_per_round=6",
          "train.checkpoint_every=3",
          "evaluate.share=1",
          "evaluate.steps=2",
          "evaluate.batch=4"};
}

}  // namespace evd::test
