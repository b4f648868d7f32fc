// The release preset needs no CUDA toolkit; the cuda preset says what it finds.
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace {

using evd::test::Finished;

const std::string kNvcc = EVD_NVCC;
bool has_toolkit() { return !kNvcc.empty() && kNvcc.find("NOTFOUND") == std::string::npos; }

Finished configure(const std::filesystem::path& build, std::vector<std::string> options,
                   const std::string& path) {
  std::vector<std::string> all = {EVD_CMAKE, "-S", evd::test::source_directory().string(), "-B",
                                  build.string()};
  options.emplace_back("-DEVD_TORCH_DIR=" EVD_TORCH_DIRECTORY);
  all.insert(all.end(), options.begin(), options.end());
  return evd::test::run({.arguments = all,
                         .environment = {{"PATH", path},
                                         {"CUDACXX", ""},
                                         {"CUDA_HOME", ""},
                                         {"CUDA_PATH", ""},
                                         {"CUDAToolkit_ROOT", ""},
                                         {"CMAKE_PREFIX_PATH", ""}},
                         .timeout_s = 200});
}

// As on a machine without the toolkit: not in PATH, and its usual places are not looked at.
Finished configure_without_toolkit(const std::filesystem::path& build,
                                   std::vector<std::string> options) {
  std::string hidden;
  if (has_toolkit()) {
    const auto bin = std::filesystem::canonical(kNvcc).parent_path();
    const auto top = bin.parent_path();
    for (const std::filesystem::path& place :
         {bin, top, std::filesystem::path("/usr/local/cuda"),
          std::filesystem::path("/usr/local/cuda/bin"), std::filesystem::path("/usr/local/bin")})
      hidden += place.string() + ";";
  }
  options.push_back("-DCMAKE_IGNORE_PATH=" + hidden);
  options.push_back("-DCMAKE_IGNORE_PREFIX_PATH=" + hidden);
  return configure(build, options, "/usr/bin:/bin");
}

TEST(Configure, ReleaseNeedsNoCudaToolkit) {
  const evd::test::TempDir build;
  const auto done = configure_without_toolkit(build.path(), {"--preset", "release"});
  ASSERT_EQ(done.code, 0) << done.story();
  const std::string cache = evd::test::read_file(build / "CMakeCache.txt");
  EXPECT_EQ(cache.find("EVD_CUDA:BOOL=ON"), std::string::npos);
  EXPECT_NE(cache.find("EVD_CUDA:BOOL=OFF"), std::string::npos);
  EXPECT_EQ(cache.find("/bin/nvcc"), std::string::npos) << "the toolkit was not hidden";
}

TEST(Configure, CudaSaysWhatThereIsToBuild) {
  const evd::test::TempDir build;
  if (!has_toolkit()) {
    const auto done = configure_without_toolkit(build.path(), {"--preset", "cuda"});
    EXPECT_NE(done.code, 0);
    EXPECT_NE(done.err.find("CUDA"), std::string::npos) << done.story();
    return;
  }
  const std::string bin = std::filesystem::path(kNvcc).parent_path().string();
  const auto with = [&](const std::string& libraries) {
    return configure(build.path(), {"--preset", "cuda", "-DEVD_TORCH_CUDA_DIR=" + libraries},
                     bin + ":/usr/bin:/bin");
  };
  const auto none = with("/nowhere");
  EXPECT_NE(none.code, 0);
  EXPECT_NE(none.out.find("CUDA toolkit"), std::string::npos) << none.story();
  EXPECT_NE(none.err.find("tools/setup --gpu"), std::string::npos) << none.story();
  const auto done = with(EVD_TORCH_CUDA_DIRECTORY);
  EXPECT_EQ(done.code, 0) << done.story();
}

// As on a machine where tools/setup ran without --tests.
Finished configure_without_test_tools(const std::filesystem::path& build,
                                      std::vector<std::string> options) {
  options.insert(options.end(),
                 {"-DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON", "-DEVD_TEST_PYTHON=/nowhere"});
  return configure_without_toolkit(build, options);
}

// The options of "cmake --preset release ..." under Installing.
std::vector<std::string> options_in_readme() {
  const std::string text = evd::test::read_file(evd::test::source_directory() / "README.md");
  const std::string begin = "\ncmake ";
  const auto at = text.find(begin, text.find("## Installing")) + begin.size();
  std::istringstream words(text.substr(at, text.find("&&", at) - at));
  return {std::istream_iterator<std::string>(words), {}};
}

TEST(Configure, AsTheReadmeSaysItNeedsNoTestTools) {
  const evd::test::TempDir build;
  const auto options = options_in_readme();
  ASSERT_GE(options.size(), 2U);
  const auto done = configure_without_test_tools(build.path(), options);
  EXPECT_EQ(done.code, 0) << done.story();
}

TEST(Configure, WithTestsItSaysHowToGetTheTools) {
  const evd::test::TempDir build;
  const auto done = configure_without_test_tools(build.path(), {"--preset", "release"});
  EXPECT_NE(done.code, 0);
  EXPECT_NE(done.err.find("tools/setup --tests"), std::string::npos) << done.story();
  EXPECT_NE(done.err.find("-DBUILD_TESTING=OFF"), std::string::npos) << done.story();
}

TEST(Configure, MissingLibTorchNamesTheCommandThatGetsIt) {
  const evd::test::TempDir build;
  const auto done = evd::test::run(
      {.arguments = {EVD_CMAKE, "-S", evd::test::source_directory().string(), "-B",
                     build.path().string(), "--preset", "release", "-DEVD_TORCH_DIR=/nowhere"}});
  EXPECT_NE(done.code, 0);
  EXPECT_NE(done.err.find("tools/setup"), std::string::npos) << done.story();
}

}  // namespace
