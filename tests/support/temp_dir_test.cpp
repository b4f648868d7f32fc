#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

namespace evd::test {
namespace {

TEST(TempDir, GoesWithItsOwnerWhateverIsInside) {
  std::filesystem::path path;
  {
    const TempDir directory;
    path = directory.path();
    std::filesystem::create_directories(path / "a/b");
    write_file(path / "a/b/file", std::string("x\0y", 3));
    EXPECT_EQ(read_file(path / "a/b/file"), std::string("x\0y", 3));
    std::filesystem::permissions(path / "a", std::filesystem::perms::owner_read);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDir, EachIsItsOwn) { EXPECT_NE(TempDir().path(), TempDir().path()); }

}  // namespace
}  // namespace evd::test
