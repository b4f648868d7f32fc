#include "teacher/secret.hpp"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/temp_dir.hpp"

namespace evd::teacher {
namespace {

namespace stdfs = std::filesystem;

class SecretFile : public ::testing::Test {
 protected:
  [[nodiscard]] std::string refusal(const stdfs::path& path) const {
    try {
      static_cast<void>(read_secret({.name = "aurora", .key_file = path.string()}));
    } catch (const ConfigurationError& error) {
      return error.what();
    }
    return "";
  }
  [[nodiscard]] stdfs::path make(const std::string& name, const std::string& text,
                                 stdfs::perms mode) const {
    const auto path = directory_ / name;
    test::write_file(path, text);
    stdfs::permissions(path, mode);
    return path;
  }
  static constexpr auto kPrivate = stdfs::perms::owner_read | stdfs::perms::owner_write;
  test::TempDir directory_;
};

TEST_F(SecretFile, IsReadAndTrimmed) {
  const auto path = make("key", "  sk-abc123\n", kPrivate);
  EXPECT_EQ(read_secret({.name = "a", .key_file = path.string()}).reveal(), "sk-abc123");
}

TEST_F(SecretFile, OfOthersEyesIsRefused) {
  for (const auto more : {stdfs::perms::group_read, stdfs::perms::others_read,
                          stdfs::perms::group_write, stdfs::perms::others_exec})
    EXPECT_NE(refusal(make("key", "sk-abc", kPrivate | more)).find("chmod 600"), std::string::npos);
}

TEST_F(SecretFile, LinksDirectoriesAndGiantsAreRefused) {
  const auto key = make("key", "sk-abc", kPrivate);
  stdfs::create_symlink(key, directory_ / "link");
  EXPECT_NE(refusal(directory_ / "link").find("symbolic link"), std::string::npos);
  EXPECT_NE(refusal(directory_.path()).find("not a regular file"), std::string::npos);
  EXPECT_NE(refusal("/dev/zero").find("not a regular file"), std::string::npos);
  EXPECT_NE(refusal(make("large", std::string(5000, 'x'), kPrivate)).find("4 KiB"),
            std::string::npos);
  EXPECT_NE(refusal(make("empty", " \n", kPrivate)).find("empty"), std::string::npos);
  EXPECT_NE(refusal(directory_ / "none").find("No such file"), std::string::npos);
}

TEST_F(SecretFile, BytesThatCouldSmuggleHeadersAreRefused) {
  for (const std::string text : {"sk\r\nX-Evil: 1", "sk abc", "sk\tabc", "sk\x7f", "sk\xc3\xa9"}) {
    const std::string message = refusal(make("key", text, kPrivate));
    EXPECT_NE(message.find("no key has"), std::string::npos) << text;
    EXPECT_EQ(message.find("sk"), std::string::npos) << "the message repeats the key";
  }
}

TEST(Secret, ComesFromTheEnvironmentByName) {
  ::setenv("EVD_TEST_KEY", "sk-from-environment", 1);
  EXPECT_EQ(read_secret({.name = "a", .key_env = "EVD_TEST_KEY"}).reveal(), "sk-from-environment");
  ::unsetenv("EVD_TEST_KEY");
  try {
    static_cast<void>(read_secret({.name = "aurora", .key_env = "EVD_TEST_KEY"}));
    FAIL();
  } catch (const ConfigurationError& error) {
    EXPECT_NE(std::string(error.what()).find("EVD_TEST_KEY"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("aurora"), std::string::npos);
  }
  EXPECT_TRUE(read_secret({.name = "local"}).empty()) << "a service without a key";
}

TEST(Secret, IsTakenOutOfForeignTexts) {
  const Secret secret("sk-abc123", "test");
  EXPECT_EQ(secret.redact("key sk-abc123 is wrong; sk-abc123!"), "key [key] is wrong; [key]!");
  EXPECT_EQ(Secret().redact("nothing"), "nothing");
  EXPECT_EQ(Secret("key", "test").redact("key"), "[key]") << "once never came to an end";
  EXPECT_EQ(secret.redact("cut inside sk-ab"), "cut inside [key]");
  EXPECT_EQ(secret.redact("a mask"), "a mask");
}

TEST(Secret, LeavesNothingBehindWhenMoved) {
  Secret first("sk-abc", "test");
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT: looked at on purpose
  EXPECT_EQ(second.reveal(), "sk-abc");
}

}  // namespace
}  // namespace evd::teacher
