#include "nn/zip_archive.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

// What Python's own zipfile writes.
std::vector<std::byte> python_zip(const std::string& commands) {
  const evd::test::TempDir directory;
  const auto path = (directory / "x.zip").string();
  const auto made = evd::test::run({{evd::test::test_python(), "-c",
                                     "import sys, zipfile\n"
                                     "z = zipfile.ZipFile(sys.argv[1], 'w')\n" +
                                         commands + "\nz.close()\n",
                                     path}});
  EXPECT_EQ(made.code, 0) << made.story();
  return fs::read_bytes(path);
}

std::string refusal(const std::vector<std::byte>& bytes) {
  try {
    static_cast<void>(stored_members(bytes, "x.zip"));
  } catch (const DataError& error) {
    return error.what();
  }
  return "it was read";
}

TEST(ZipArchive, MembersAndComment) {
  const auto bytes =
      python_zip("z.writestr('a/b', b'bytes')\nz.writestr('c', b'')\nz.comment = b'remark'");
  const auto members = stored_members(bytes, "x.zip");
  ASSERT_EQ(members.size(), 2U);
  const Bytes b = members.at("a/b");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(b.data()), b.size()), "bytes");
  EXPECT_TRUE(members.at("c").empty());
}

TEST(ZipArchive, Zip64) {
  const auto bytes = python_zip(
      "zipfile.ZIP64_LIMIT = 3\n"
      "with z.open('a', 'w', force_zip64=True) as f: f.write(b'longer than that')");
  EXPECT_EQ(stored_members(bytes, "x.zip").at("a").size(), 16U);
}

TEST(ZipArchive, CompressedMembersAreLeftOut) {
  const auto bytes =
      python_zip("z.writestr('a', b'a' * 99, zipfile.ZIP_DEFLATED)\nz.writestr('b', b'')");
  const auto members = stored_members(bytes, "x.zip");
  EXPECT_EQ(members.size(), 1U);
  EXPECT_TRUE(members.contains("b"));
}

TEST(ZipArchive, WhatCannotBeReadIsNamed) {
  EXPECT_NE(refusal(python_zip("import warnings\nwarnings.simplefilter('ignore')\n"
                               "z.writestr('a', b'1')\nz.writestr('a', b'2')"))
                .find("stands twice"),
            std::string::npos);
  auto cut = python_zip("z.writestr('a', b'1')");
  cut.erase(cut.begin(), cut.begin() + 5);
  EXPECT_NE(refusal(cut), "it was read");
  EXPECT_NE(refusal({}).find("its end is missing"), std::string::npos);
}

}  // namespace
}  // namespace evd::nn
