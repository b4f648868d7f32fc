#include <filesystem>

#include <gtest/gtest.h>

#include "run/config.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

// Every configuration that is shipped is right, and a campaign could be made from it.
TEST(ConfigFiles, AllAreRight) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(test::source_directory() / "configs")) {
    if (entry.path().extension() != ".toml") continue;
    ++count;
    Config config;
    ASSERT_NO_THROW(config = parse_config(test::read_file(entry.path()), entry.path().string()));
    EXPECT_NO_THROW(require_services(config)) << entry.path();
  }
  EXPECT_GE(count, 3);
}

}  // namespace
}  // namespace evd::run
