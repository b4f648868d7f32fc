#include "core/error.hpp"

#include <cerrno>
#include <filesystem>
#include <new>

#include <gtest/gtest.h>

#include "core/enum.hpp"
#include "core/option.hpp"

namespace evd {
namespace {

TEST(Error, CarriesTheExitCodeThatUsersScriptOn) {
  EXPECT_EQ(static_cast<int>(exit_code(UsageError("x"))), 64);
  EXPECT_EQ(static_cast<int>(exit_code(DataError("x"))), 65);
  EXPECT_EQ(static_cast<int>(exit_code(ServiceError("x"))), 69);
  EXPECT_EQ(static_cast<int>(exit_code(InternalError("x"))), 70);
  EXPECT_EQ(static_cast<int>(exit_code(IoError("x"))), 74);
  EXPECT_EQ(static_cast<int>(exit_code(Stopped("x"))), 75);
  EXPECT_EQ(static_cast<int>(exit_code(ConfigurationError("x"))), 78);
  EXPECT_EQ(static_cast<int>(exit_code(std::bad_alloc())), 70);
  const auto loop = std::make_error_code(std::errc::too_many_symbolic_link_levels);
  EXPECT_EQ(static_cast<int>(exit_code(std::filesystem::filesystem_error("status", loop))), 74);
}

TEST(Error, ErrnoNamesOperationPathAndReason) {
  errno = ENOSPC;
  try {
    throw_errno("write", "/data/x.h5");
  } catch (const IoError& error) {
    EXPECT_STREQ(error.what(), "write /data/x.h5: No space left on device");
  }
}

TEST(Enum, NamesAndParsesBothWays) {
  EXPECT_EQ(name(Scope::science), "science");
  EXPECT_EQ(parse_enum<Scope>("operation", "scope"), Scope::operation);
}

TEST(Enum, AWrongNameListsTheChoices) {
  try {
    (void)parse_enum<Scope>("scienc", "scope");
    FAIL() << "accepted";
  } catch (const ConfigurationError& error) {
    EXPECT_STREQ(error.what(), "scope = \"scienc\" is not one of: identity, science, operation");
  }
}

}  // namespace
}  // namespace evd
