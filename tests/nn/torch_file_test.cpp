#include "nn/torch_file.hpp"

#include <random>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/mapped_file.hpp"
#include "nn/safetensors.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

// Files of PyTorch itself, of weights drawn anew in each run.
class TorchFile : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new evd::test::TempDir;
    const unsigned seed = std::random_device()() % 1'000'000;
    const auto made = evd::test::run(
        {.arguments = {evd::test::test_torch_python(),
                       (evd::test::source_directory() / "tests/nn/save_torch_files.py").string(),
                       directory_->path().string(), std::to_string(seed)},
         .timeout_s = 200});
    ASSERT_EQ(made.code, 0) << made.story();
    std::printf("weights of seed %u\n", seed);
  }
  static void TearDownTestSuite() { delete directory_; }

  static std::filesystem::path file(const std::string& name) { return *directory_ / name; }
  static std::map<std::string, StoredTensors, std::less<>> read(const fs::MappedFile& mapped) {
    return read_torch_file(mapped.bytes(), mapped.path().filename().string());
  }
  static std::string refusal(const std::string& name) {
    const fs::MappedFile mapped(file(name));
    try {
      static_cast<void>(read(mapped));
    } catch (const DataError& error) {
      return error.what();
    }
    return "it was read";
  }
  // The same names, types, shapes and elements as the safetensors library wrote.
  static void expect_same(const StoredTensors& tensors, const std::string& name,
                          const std::string& prefix, std::size_t count) {
    const auto wanted = Safetensors::read(file(name));
    EXPECT_EQ(tensors.size(), count);
    for (const auto& [key, tensor] : tensors) {
      const auto found = wanted.tensors().find(prefix + key);
      ASSERT_NE(found, wanted.tensors().end()) << key;
      EXPECT_EQ(name_of(tensor.type), found->second.dtype) << key;
      EXPECT_EQ(tensor.shape, found->second.shape) << key;
      const auto bytes = wanted.bytes(prefix + key);
      EXPECT_EQ(tensor.elements(), std::vector<std::byte>(bytes.begin(), bytes.end())) << key;
    }
  }
  static inline evd::test::TempDir* directory_ = nullptr;
};

TEST_F(TorchFile, AStateDictAtTheTop) {
  const fs::MappedFile mapped(file("top.pth"));
  const auto sections = read(mapped);
  ASSERT_EQ(sections.size(), 1U);
  expect_same(sections.at(std::string(kTopSection)), "top.safetensors", "", 9);
}

TEST_F(TorchFile, ACheckpointOfTraining) {
  const fs::MappedFile mapped(file("train.pth"));
  const auto sections = read(mapped);
  ASSERT_EQ(sections.size(), 2U);
  expect_same(sections.at(std::string(kStateDict)), "train.safetensors", "state_dict/", 9);
  expect_same(sections.at(std::string(kStateDictEma)), "train.safetensors", "state_dict_ema/", 9);
}

TEST_F(TorchFile, StridedAndSharedTensorsOfEveryType) {
  for (const char* name : {"views.pth", "views-4.pth"}) {
    const fs::MappedFile mapped(file(name));
    const auto tensors = read(mapped).at(std::string(kTopSection));
    expect_same(tensors, "views.safetensors", "", 17);
    EXPECT_FALSE(tensors.at("transposed").is_contiguous());
  }
}

TEST_F(TorchFile, CodeIsRefusedByNameAndNotRun) {
  EXPECT_NE(refusal("code.pth").find("names posix system"), std::string::npos)
      << refusal("code.pth");
  EXPECT_FALSE(std::filesystem::exists(file("bomb-went-off")));
  EXPECT_FALSE(std::filesystem::exists("bomb-went-off"));
}

TEST_F(TorchFile, OtherFormatsAreNamed) {
  EXPECT_NE(refusal("legacy.pth").find("before 1.6"), std::string::npos) << refusal("legacy.pth");
  EXPECT_NE(refusal("script.pt").find("TorchScript"), std::string::npos) << refusal("script.pt");
  EXPECT_NE(refusal("top.safetensors").find("ZIP"), std::string::npos);
  EXPECT_NE(refusal("none.pth").find("no tensor"), std::string::npos) << refusal("none.pth");
  EXPECT_NE(refusal("repeated.pth").find("tensor repeated: it leaves its storage"),
            std::string::npos)
      << refusal("repeated.pth");
}

TEST_F(TorchFile, CutShortAnywhereItIsRefused) {
  const auto whole = fs::read_bytes(file("views.pth"));
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 1 + whole.size() / 500)
    EXPECT_THROW(static_cast<void>(read_torch_file(Bytes(whole).first(bytes), "cut")), DataError)
        << bytes;
}

}  // namespace
}  // namespace evd::nn
