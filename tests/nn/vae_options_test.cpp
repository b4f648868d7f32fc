#include "nn/vae_options.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

using Json = nlohmann::json;

/// As sd-vae-ft-ema's, with the keys that diffusers wrote in 2022.
Json stable_diffusion() {
  return {{"_class_name", "AutoencoderKL"},
          {"_diffusers_version", "0.4.2"},
          {"act_fn", "silu"},
          {"block_out_channels", {128, 256, 512, 512}},
          {"down_block_types", Json::array({"DownEncoderBlock2D", "DownEncoderBlock2D",
                                            "DownEncoderBlock2D", "DownEncoderBlock2D"})},
          {"in_channels", 3},
          {"latent_channels", 4},
          {"layers_per_block", 2},
          {"norm_num_groups", 32},
          {"out_channels", 3},
          {"sample_size", 256},
          {"up_block_types", Json::array({"UpDecoderBlock2D", "UpDecoderBlock2D",
                                          "UpDecoderBlock2D", "UpDecoderBlock2D"})}};
}

std::string refusal(const Json& config) {
  try {
    static_cast<void>(parse_vae_options(config.dump(), "config.json"));
  } catch (const DataError& error) {
    return error.what();
  }
  return "taken";
}

TEST(VaeOptions, OfStableDiffusionAreTheDefaults) {
  const auto read = parse_vae_options(stable_diffusion().dump(), "config.json");
  const VaeOptions own;
  EXPECT_EQ(read.widths, own.widths);
  EXPECT_EQ(read.layers, own.layers);
  EXPECT_EQ(read.latent_channels, own.latent_channels);
  EXPECT_EQ(read.groups, own.groups);
  EXPECT_EQ(read.sample_size, own.sample_size);
  EXPECT_EQ(read.scaling_factor, own.scaling_factor);
  EXPECT_TRUE(read.quant_conv && read.post_quant_conv && read.mid_attention);
  EXPECT_EQ(own.stride(), 8);
  std::int64_t numbers = 0;
  for (const auto& tensor : vae_tensors(own)) {
    std::int64_t count = 1;
    for (const auto side : tensor.shape) count *= side;
    numbers += count;
  }
  EXPECT_EQ(numbers, 83'653'863);  // the published count
}

TEST(VaeOptions, WhatTheNetworkCannotBeIsRefusedByKeyAndValue) {
  const std::vector<std::tuple<std::string, Json, std::string>> wrong = {
      {"_class_name", "VQModel", "_class_name = \"VQModel\" (\"AutoencoderKL\" is taken)"},
      {"act_fn", "gelu", "act_fn = \"gelu\" (\"silu\" or \"swish\" is taken)"},
      {"down_block_types", Json::array({"DownEncoderBlock2D", "AttnDownEncoderBlock2D"}),
       "down_block_types = [\"DownEncoderBlock2D\",\"AttnDownEncoderBlock2D\"] (4 x "
       "DownEncoderBlock2D is taken)"},
      {"up_block_types", Json::array({"UpDecoderBlock2D"}),
       "up_block_types = [\"UpDecoderBlock2D\"] (4 x UpDecoderBlock2D is taken)"},
      {"in_channels", 4, "in_channels = 4 (3 is taken)"},
      {"shift_factor", 0.1159, "shift_factor = 0.1159 (null is taken)"},
      {"latents_mean", {0, 0, 0, 0}, "latents_mean = [0,0,0,0] (null is taken)"},
      {"use_quant_conv", 1, "use_quant_conv = 1 (true or false is taken)"},
      {"layers_per_block", 2.5, "layers_per_block = 2.5 (a whole number of 1 .. 64 is taken)"},
      {"layers_per_block", 1e9,
       "layers_per_block = 1000000000.0 (a whole number of 1 .. 64 is "
       "taken)"},
      {"scaling_factor", 0, "scaling_factor = 0 (a number > 0 is taken)"},
      {"norm_num_groups", 48,
       "norm_num_groups = 48 (each of block_out_channels must divide into groups)"},
      {"block_out_channels",
       {128, -1},
       "block_out_channels = [128,-1] (a list of whole numbers of 1 .. 8192 is taken)"},
      {"sample_size",
       {256, 256},
       "sample_size = [256,256] (a whole number of 1 .. 65536 is taken)"},
      {"temporal", true, "temporal = true (an unknown key)"},
  };
  for (const auto& [key, value, message] : wrong) {
    Json config = stable_diffusion();
    config[key] = value;
    EXPECT_EQ(refusal(config), "config.json: " + message);
  }
  Json absent = stable_diffusion();
  absent.erase("up_block_types");
  EXPECT_EQ(refusal(absent),
            "config.json: up_block_types is absent (4 x UpDecoderBlock2D is taken)");
  EXPECT_EQ(refusal(Json::array()),
            "config.json: no configuration of a network (it is no JSON object)");
}

TEST(VaeOptions, StandBesideTheWeights) {
  const evd::test::TempDir folder;
  Json config = stable_diffusion();
  config["use_post_quant_conv"] = false;
  config["scaling_factor"] = 0.13025;
  config["mid_block_add_attention"] = false;
  evd::test::write_file(folder / "config.json", config.dump());
  for (const auto& weights : {folder.path(), folder / "model.safetensors"}) {
    const auto read = read_vae_options(weights);
    EXPECT_TRUE(read.quant_conv);
    EXPECT_FALSE(read.post_quant_conv || read.mid_attention);
    EXPECT_EQ(read.scaling_factor, 0.13025);
  }
}

}  // namespace
}  // namespace evd::nn
