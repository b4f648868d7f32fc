#include "nn/weight_set.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "nn/safetensors.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

using evd::test::TempDir;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

std::string refusal(const std::filesystem::path& path) {
  return error_of([&] { static_cast<void>(WeightSet::open(path)); });
}

const std::vector<float> kValues = {1, 2, 3, 4, 5, 6};

void write(const std::filesystem::path& path, const std::string& name) {
  write_safetensors(path, {{name, {2, 3}, kValues}}, {});
}

void write_index(const std::filesystem::path& path, const std::string& map) {
  evd::test::write_file(path, R"({"metadata": {"total_size": 48}, "weight_map": {)" + map + "}}");
}

TEST(WeightSet, AFolderWithOneFile) {
  const TempDir folder;
  write(folder / "diffusion_pytorch_model.safetensors", "a");
  const auto set = WeightSet::open(folder.path());
  EXPECT_EQ(set.at("a", std::vector<std::int64_t>{2, 3}).elements.size(), 24U);
}

TEST(WeightSet, ShardsOfAnIndex) {
  const TempDir folder;
  write(folder / "model-00001-of-00002.safetensors", "a");
  write(folder / "model-00002-of-00002.safetensors", "b");
  write_index(
      folder / "model.safetensors.index.json",
      R"("a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors")");
  EXPECT_EQ(WeightSet::open(folder.path()).tensors().size(), 2U);
}

TEST(WeightSet, AnIndexThatIsWrongIsRefused) {
  const TempDir folder;
  write(folder / "one.safetensors", "a");
  const auto index = folder / "model.safetensors.index.json";
  write_index(index, R"("a": "one.safetensors", "b": "one.safetensors")");
  EXPECT_NE(refusal(index).find("tensor b is not in one.safetensors"), std::string::npos);
  write_index(index, R"("a": "../one.safetensors")");
  EXPECT_NE(refusal(index).find("lies elsewhere"), std::string::npos);
  write_index(index, R"("b": "one.safetensors")");
  EXPECT_NE(refusal(index).find("tensor a stands in another file"), std::string::npos);
  evd::test::write_file(index, "[]");
  EXPECT_NE(refusal(index).find("no weight_map"), std::string::npos);
}

TEST(WeightSet, AFolderMustHoldJustOneSet) {
  const TempDir folder;
  EXPECT_NE(refusal(folder.path()).find("no weights in this folder"), std::string::npos);
  write(folder / "model.safetensors", "a");
  write(folder / "diffusion_pytorch_model.safetensors", "a");
  EXPECT_NE(refusal(folder.path()).find("several sets"), std::string::npos);
}

TEST(WeightSet, AFileOfAnotherNameWhenItIsTheOnlyOne) {
  const TempDir folder;
  write(folder / "null_text.safetensors", "n");
  EXPECT_NE(refusal(folder.path()).find("no weights in this folder"), std::string::npos);
  write(folder / "model.fp16.safetensors", "a");
  EXPECT_TRUE(WeightSet::open(folder.path()).tensors().contains("a"));
  EXPECT_TRUE(WeightSet::sections(folder.path()).empty());
  evd::test::write_file(folder / "Edgen.pth", "x");
  const std::string error = refusal(folder.path());
  EXPECT_NE(error.find("several sets of weights (Edgen.pth, model.fp16.safetensors"),
            std::string::npos)
      << error;
  // The usual names come first.
  write(folder / "model.safetensors", "b");
  EXPECT_TRUE(WeightSet::open(folder.path()).tensors().contains("b"));
}

TEST(WeightSet, ElementsOffTheirAlignmentAreCopied) {
  const TempDir folder;
  // A header of odd length, as early writers left it.
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} )";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  ASSERT_EQ(header.size() % 4, 3U);
  const float values[2] = {5, 7};
  bytes += header + std::string(reinterpret_cast<const char*>(values), 8);
  evd::test::write_file(folder / "x.safetensors", bytes);
  const auto set = WeightSet::open(folder / "x.safetensors");
  const auto& tensor = set.at("a", std::vector<std::int64_t>{2});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.elements.data()) % 4, 0U);
  EXPECT_EQ(to_floats(tensor.elements, tensor.type), (std::vector<float>{5, 7}));
}

TEST(WeightSet, CheckNamesAllThatIsWrong) {
  const TempDir folder;
  write_safetensors(folder / "x.safetensors", {{"a", {2, 3}, kValues}, {"c", {6}, kValues}}, {});
  const auto set = WeightSet::open(folder / "x.safetensors");
  const std::vector<WantedTensor> wanted = {{"a", {3, 2}}, {"b", {1}}};
  const std::string error = error_of([&] { check_tensors(set, wanted); });
  EXPECT_NE(error.find("missing tensors b"), std::string::npos) << error;
  EXPECT_NE(error.find("a [2,3] instead of [3,2]"), std::string::npos) << error;
  EXPECT_NE(error.find("unexpected tensors c"), std::string::npos) << error;
  check_tensors(set, std::vector<WantedTensor>{{"a", {2, 3}}}, std::vector<std::string_view>{"c"});
}

}  // namespace
}  // namespace evd::nn
