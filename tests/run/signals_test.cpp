#include "run/signals.hpp"

#include <iostream>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/error.hpp"
#include "fs/publish.hpp"
#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

TEST(Signals, AFileSizeLimitIsAnErrorAndNotADeath) {
  const test::TempDir directory;
  const auto too_large = [&] {
    static_cast<void>(catch_stop_signals());
    const rlimit limit{.rlim_cur = 1000, .rlim_max = 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      fs::publish(directory / "file", std::string(5000, 'x'));
    } catch (const IoError& error) {
      std::cerr << error.what();
      std::exit(74);
    }
    std::exit(0);
  };
  EXPECT_EXIT(too_large(), ::testing::ExitedWithCode(74), "File too large");
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace evd::run
