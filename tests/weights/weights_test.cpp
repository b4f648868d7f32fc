// evd-weights as a user types it, and what it writes in diffusers.
#include <cmath>
#include <csignal>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "nn/model_file.hpp"
#include "nn/network.hpp"
#include "nn/reference_run.hpp"
#include "nn/weight_set.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

using evd::test::read_file;
using evd::test::TempDir;

evd::test::Finished weights(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), evd::test::program("evd-weights"));
  return evd::test::run({.arguments = std::move(arguments)});
}

Layout layout_with(QkNorm norm, bool multi_aspect) {
  NetworkOptions n;
  n.input_size = 8;
  n.channels = 4;
  n.patch = 2;
  n.width = 24;
  n.head_dim = 8;
  n.depth = 2;
  n.caption_width = 10;
  n.max_tokens = 6;
  n.qk_norm = norm;
  n.multi_aspect = multi_aspect;
  n.interpolation = multi_aspect ? 2 : 1;
  DiffusionOptions d;
  d.prediction = Prediction::noise;
  d.learned_variance = true;
  return {n, d};
}

/// Every weight drawn anew: the start weights' head is zero.
Weights lively(const Layout& layout, std::uint64_t seed) {
  Weights all{std::vector<float>(layout.size()), layout.start_null_text(seed)};
  for (const auto& p : layout.parameters()) {
    Random(seed, Purpose::test, p.offset)
        .fill_normal(std::span(all.flat).subspan(p.offset, p.count));
    for (std::size_t i = 0; i < p.count; ++i) all.flat[p.offset + i] *= 0.1F;
  }
  return all;
}

at::Tensor output(const Layout& layout, const Weights& weights, const test::ReferenceRun& run) {
  at::Tensor flat = at::empty({static_cast<std::int64_t>(layout.size())}, at::kFloat);
  std::copy(weights.flat.begin(), weights.flat.end(), flat.mutable_data_ptr<float>());
  const Network network(layout, flat);
  PictureShapes shapes;
  if (run.has("size")) shapes = {run["size"], run["aspect"]};
  return network.forward(run["z"], run["t"], network.keys_of({run["text"].flatten(0, 1), {5, 5}}),
                         shapes);
}

struct Variant {
  QkNorm norm;
  bool multi_aspect;
};
class Exports : public testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(All, Exports,
                         testing::Values(Variant{QkNorm::none, false}, Variant{QkNorm::cross, true},
                                         Variant{QkNorm::self_cross, false}));

TEST_P(Exports, DrawTheSameInDiffusersAndComeBackByteByByte) {
  const auto [norm, multi_aspect] = GetParam();
  const TempDir folder;
  const auto seed = test::fresh_seed();
  const Layout layout = layout_with(norm, multi_aspect);
  const Weights ours = lively(layout, seed);
  const auto file = folder / "model.safetensors";
  write_model(file, layout, ours);

  const auto exported = folder / "export";
  const auto there = weights({"convert", file, exported, "--to", "diffusers"});
  ASSERT_EQ(there.code, 0) << there.story();
  EXPECT_EQ(there.err.find("load_edgen.py") != std::string::npos, norm != QkNorm::none)
      << there.err;
  const test::ReferenceRun run("../weights/load_export.py",
                               {exported.string(), std::to_string(seed)});
  const at::Tensor out = output(layout, ours, run).detach();
  EXPECT_LT(test::error_of(out, run["out"]), 3e-6);
  if (norm != QkNorm::none) {
    EXPECT_GT(test::error_of(out, run["plain"]), 1e-4);
  }

  const auto again = folder / "again.safetensors";
  const auto back = weights({"convert", exported, again, "--to", "original"});
  ASSERT_EQ(back.code, 0) << back.story();
  EXPECT_TRUE(read_file(again) == read_file(file));
  EXPECT_EQ(weights({"verify", again}).code, 0);
}

TEST(Convert, AVariantThatIsNotToldIsNotGuessed) {
  const TempDir folder;
  const Layout layout = layout_with(QkNorm::self_cross, false);
  const Weights ours = lively(layout, 1);
  const auto file = folder / "model.safetensors";
  auto tensors = named_tensors(layout, ours.flat, "");
  write_safetensors(file, tensors, {});
  const auto to = folder / "original.safetensors";
  const std::vector<std::string> sizes = {"--set", "network.head_dim=8", "--set",
                                          "network.input_size=8"};
  auto arguments = std::vector<std::string>{"convert", file, to, "--to", "original"};
  arguments.insert(arguments.end(), sizes.begin(), sizes.end());
  const auto refused = weights(arguments);
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("does not tell network.qk_norm"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--variant edgen"), std::string::npos) << refused.err;
  arguments.insert(arguments.end(), {"--variant", "edgen"});
  const auto done = weights(arguments);
  ASSERT_EQ(done.code, 0) << done.story();
  const auto told = weights({"info", to});
  EXPECT_NE(told.out.find("qk_norm self_cross, prediction noise, learned variance"),
            std::string::npos)
      << told.out;
  EXPECT_EQ(weights(arguments).code, 64) << "the file is there now";
}

// As the authors publish theirs: .pth in bfloat16, two state dicts, positions and null text inside.
TEST(Convert, ACheckpointOfTheAuthorsBecomesAFolderOfDiffusersAndComesBack) {
  const TempDir folder;
  const Layout layout = layout_with(QkNorm::self_cross, false);
  const auto file = folder / "model.safetensors";
  write_model(file, layout, lively(layout, 3));
  const auto pth = folder / "Edgen.pth";
  const auto saved = evd::test::run(
      {.arguments = {evd::test::test_torch_python(),
                     (evd::test::source_directory() / "tests/weights/save_checkpoint.py").string(),
                     file.string(), pth.string()}});
  ASSERT_EQ(saved.code, 0) << saved.story();
  // What lies beside it and belongs to something else is not believed.
  evd::test::write_file(folder / "config.json", R"({"_class_name": 5})");
  const auto one = folder / "edgen.safetensors";
  const std::vector<std::string> told = {"--variant", "edgen", "--set", "network.head_dim=8"};
  const auto convert = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), told.begin(), told.end());
    return weights(arguments);
  };
  const auto done = convert({"convert", pth, one, "--to", "original"});
  ASSERT_EQ(done.code, 0) << done.story();
  // What is told once is not asked again, and there and back nothing changes.
  ASSERT_EQ(weights({"convert", one, folder / "export", "--to", "diffusers"}).code, 0);
  const auto again = folder / "again.safetensors";
  ASSERT_EQ(weights({"convert", folder / "export", again, "--to", "original"}).code, 0);
  EXPECT_TRUE(read_file(again) == read_file(one));
  const auto set = WeightSet::open(one);
  EXPECT_EQ(set.metadata().at("text_encoder"), "t5-v1.1");
  EXPECT_EQ(set.tensors().at("blocks.0.attn.qkv.weight").type, TensorType::BF16);
  EXPECT_FALSE(set.tensors().contains("pos_embed"));
  EXPECT_TRUE(set.tensors().contains("y_embedder.y_embedding"));

  const auto told_of = weights({"info", pth});
  EXPECT_NE(told_of.out.find("sections    state_dict, state_dict_ema (here: state_dict;"),
            std::string::npos)
      << told_of.out;
  // The positions that it stores are compared, not passed over.
  const auto other = folder / "other.safetensors";
  const std::vector<std::string> wider = {
      "convert", pth, other, "--to", "original", "--set", "network.interpolation=2"};
  const auto refused = convert(wider);
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("pos_embed is that of another network"), std::string::npos)
      << refused.err;
  auto anew = wider;
  anew.insert(anew.end(), {"--fresh", "pos_embed"});
  EXPECT_EQ(convert(anew).code, 0);

  const auto averaged = folder / "ema.safetensors";
  const auto ema =
      convert({"convert", pth, averaged, "--to", "original", "--section", "state_dict_ema"});
  ASSERT_EQ(ema.code, 0) << ema.story();
  EXPECT_FALSE(read_file(averaged) == read_file(one));
  EXPECT_EQ(weights({"info", one, "--section", "state_dict_ema"}).code, 64);
  const auto slip = weights(
      {"convert", one, folder / "x.safetensors", "--to", "original", "--variant", "pixart"});
  EXPECT_EQ(slip.code, 64) << slip.story();
}

TEST(Convert, OneThatWasKilledLeavesNothingForLong) {
  const TempDir folder;
  const Layout layout = layout_with(QkNorm::none, false);
  const auto file = folder / "model.safetensors";
  write_model(file, layout, lively(layout, 3));
  const auto hidden = [&] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      const auto name = entry.path().filename().string();
      if (name.starts_with(".")) names.push_back(name);
    }
    return names;
  };
  for (const auto& [form, to] : {std::pair("diffusers", folder / "export"),
                                 std::pair("original", folder / "copy.safetensors")}) {
    const std::vector<std::string> arguments = {
        evd::test::program("evd-weights"), "convert", file, to, "--to", form};
    const auto killed =
        evd::test::run({.arguments = arguments, .environment = {{"EVD_KILL_AT", "2"}}});
    EXPECT_EQ(killed.signal, SIGKILL) << killed.story();
    EXPECT_EQ(hidden().size(), 1U) << form;
    EXPECT_FALSE(std::filesystem::exists(to));
    const auto done = evd::test::run({.arguments = arguments});
    EXPECT_EQ(done.code, 0) << done.story();
    EXPECT_TRUE(hidden().empty()) << form;
  }
}

TEST(Convert, WhatWasLostIsMissed) {
  const TempDir folder;
  const Layout layout = layout_with(QkNorm::none, false);
  const auto file = folder / "model.safetensors";
  write_model(file, layout, lively(layout, 3));
  const auto exported = folder / "export";
  ASSERT_EQ(weights({"convert", file, exported, "--to", "diffusers"}).code, 0);
  const auto model = exported / "diffusion_pytorch_model.safetensors";
  const auto set = WeightSet::open(model);
  std::vector<NamedTensor> left;
  for (const auto& [name, tensor] : set.tensors()) {
    if (!name.starts_with("transformer_blocks.1.")) {
      left.emplace_back(name, tensor.shape, tensor.type, tensor.elements);
    }
  }
  write_safetensors(folder / "left.safetensors", left, set.metadata());
  std::filesystem::rename(folder / "left.safetensors", model);
  const auto refused = weights({"verify", exported});
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("missing tensors blocks.1."), std::string::npos) << refused.err;
}

TEST(Convert, TensorsOfWholeNumbersAndStrangeNamesAreRefused) {
  const TempDir folder;
  const Layout layout = layout_with(QkNorm::none, false);
  const Weights ours = lively(layout, 1);
  const auto file = folder / "model.safetensors";
  auto tensors = named_tensors(layout, ours.flat, "");
  const std::vector<std::int64_t> whole(24);
  for (auto& tensor : tensors) {
    if (tensor.name == "blocks.0.mlp.fc2.bias") {
      tensor = {tensor.name, {24}, TensorType::I64, std::as_bytes(std::span(whole))};
    }
  }
  write_safetensors(file, tensors, metadata_of(layout));
  const auto refused = weights({"verify", file});
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("blocks.0.mlp.fc2.bias [24] is I64"), std::string::npos)
      << refused.err;
  tensors = named_tensors(layout, ours.flat, "");
  tensors.emplace_back("blocks.weight", std::vector<std::int64_t>{1},
                       std::span(ours.flat).first(1));
  write_safetensors(file, tensors, metadata_of(layout));
  const auto strange = weights({"convert", file, folder / "export", "--to", "diffusers"});
  EXPECT_EQ(strange.code, 65) << strange.story();
  EXPECT_NE(strange.err.find("unexpected tensors blocks.weight"), std::string::npos) << strange.err;
}

TEST(Convert, OtherShapesAreNamed) {
  const TempDir folder;
  const Layout layout = layout_with(QkNorm::none, false);
  const Weights ours = lively(layout, 1);
  const auto file = folder / "model.safetensors";
  write_model(file, layout, ours);
  const auto refused = weights(
      {"convert", file, folder / "x.safetensors", "--to", "original", "--set", "network.depth=3"});
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("missing tensors blocks.2."), std::string::npos) << refused.err;
}

// PixArt at one size goes on as PixArtMS at twice the size: what it lacks must be named.
TEST(Convert, ToTheNextStageWithWhatItAddsDrawnAnew) {
  const TempDir folder;
  const Layout before = layout_with(QkNorm::self_cross, false);
  const Weights ours = lively(before, 1);
  const auto file = folder / "512.safetensors";
  const auto to = folder / "1024.safetensors";
  write_model(file, before, ours);
  std::vector<std::string> arguments = {"convert", file, to, "--to", "original"};
  for (const char* setting :
       {"network.multi_aspect=true", "network.input_size=16", "network.interpolation=2"}) {
    arguments.insert(arguments.end(), {"--set", setting});
  }
  const auto refused = weights(arguments);
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("missing tensors ar_embedder.mlp.2.weight"), std::string::npos)
      << refused.err;
  arguments.insert(arguments.end(), {"--fresh", "csize_embedder", "--fresh", "ar_embedder"});
  const auto done = weights(arguments);
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.err.find("drawn anew: ar_embedder.mlp.2.weight"), std::string::npos) << done.err;

  auto network = before.network();
  network.multi_aspect = true;
  network.input_size = 16;
  network.interpolation = 2;
  const Layout after(network, before.diffusion());
  const auto set = WeightSet::open(to);
  for (const auto& p : after.parameters()) {
    const auto values = to_floats(set.at(p.name, p.shape).elements, TensorType::F32);
    if (!p.name.starts_with("csize_embedder") && !p.name.starts_with("ar_embedder")) {
      const auto& from = before.find(p.name);
      EXPECT_TRUE(
          std::equal(values.begin(), values.end(), ours.flat.begin() + std::ptrdiff_t(from.offset)))
          << p.name;
      continue;
    }
    double square = 0;
    for (const float value : values) square += double(value) * value;
    const double deviation = std::sqrt(square / double(values.size()));
    EXPECT_NEAR(deviation, p.name.ends_with("weight") ? 0.02 : 0.0, 0.006) << p.name;
  }
}

TEST(Verify, NanIsNamed) {
  const TempDir folder;
  const Layout layout = layout_with(QkNorm::none, false);
  Weights ours = lively(layout, 1);
  ours.flat[layout.find("blocks.1.mlp.fc1.bias").offset + 3] = NAN;
  const auto file = folder / "model.safetensors";
  write_model(file, layout, ours);
  const auto refused = weights({"verify", file});
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("NaN or infinity in blocks.1.mlp.fc1.bias (1)"), std::string::npos)
      << refused.err;
}

TEST(Init, DrawsWhatACampaignWouldStartFrom) {
  const TempDir folder;
  const auto file = folder / "start.safetensors";
  const auto config = evd::test::source_directory() / "configs/rehearsal.toml";
  const auto made = weights({"init", file, "--config", config, "--seed", "5"});
  ASSERT_EQ(made.code, 0) << made.story();
  EXPECT_EQ(weights({"verify", file}).code, 0);
  const auto again =
      weights({"init", folder / "again.safetensors", "--config", config, "--seed", "5"});
  EXPECT_TRUE(read_file(file) == read_file(folder / "again.safetensors"));
  EXPECT_EQ(weights({"init", file}).code, 64);
}

TEST(Info, GarbageIsRefusedInOneLine) {
  const TempDir folder;
  evd::test::write_file(folder / "x.safetensors", "garbage that is no file of weights at all");
  const auto refused = weights({"info", folder / "x.safetensors"});
  EXPECT_EQ(refused.code, 65) << refused.story();
  EXPECT_NE(refused.err.find("not a valid safetensors file"), std::string::npos) << refused.err;
  EXPECT_EQ(weights({"info", folder / "missing.safetensors"}).code, 74);
}

}  // namespace
}  // namespace evd::nn
