#include "fs/publish.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "fs/child.hpp"
#include "fs/file.hpp"
#include "fs/temporary_name.hpp"
#include "support/temp_dir.hpp"

namespace evd::fs {
namespace {

using evd::test::in_child;
using evd::test::TempDir;

std::size_t entries(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory), {}));
}

// What publish() says, "" when it succeeds.
std::string failure_of(const std::filesystem::path& path, std::string_view text) {
  try {
    publish(path, text);
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

// More than a call takes, more than a group holds, and nothing at all.
TEST(Publish, PutsPiecesOfEverySizeInTheirOrder) {
  const TempDir dir;
  std::string all;
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::size_t bytes = i == 1234 ? (5U << 20) + 7 : i % 7 * (i % 11);
    for (std::size_t k = 0; k < bytes; ++k) all += static_cast<char>((i * 31 + k) % 251);
    ends.push_back(all.size());
  }
  std::vector<Bytes> pieces;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    pieces.push_back(as_bytes(all).subspan(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(publish(dir / "file", pieces), sha256(all));
  EXPECT_EQ(read_text(dir / "file"), all);
  const std::vector<Bytes> nothing(700);
  EXPECT_EQ(publish(dir / "empty", nothing), sha256(""));
  EXPECT_EQ(read_text(dir / "empty"), "");
}

TEST(Publish, WritesAllPiecesAndGivesTheirDigest) {
  const TempDir dir;
  const std::string one = "one";
  const std::string two(3'000'000, 'x');
  const std::vector<Bytes> pieces = {as_bytes(one), Bytes{}, as_bytes(two)};
  EXPECT_EQ(publish(dir / "file", pieces), sha256(one + two));
  EXPECT_EQ(read_text(dir / "file"), one + two);
  EXPECT_EQ(entries(dir.path()), 1U);
}

// Bug: as root, a device was replaced by a file.
TEST(Publish, ADeviceOrAPipeIsNotReplaced) {
  const TempDir dir;
  const auto pipe = dir / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(publish(pipe, std::string_view("text")), IoError);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(Publish, ReplacesAndWritesEmptyFiles) {
  const TempDir dir;
  publish(dir / "file", "old");
  publish(dir / "file", "");
  EXPECT_EQ(read_text(dir / "file"), "");
  EXPECT_EQ(entries(dir.path()), 1U);
}

TEST(Publish, ModeAndGroupComeFromTheDirectory) {
  const TempDir dir;
  const mode_t before = ::umask(077);
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0775});
  publish(dir / "file", "text");
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat((dir / "file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0664U);
  struct stat parent {};
  ASSERT_EQ(::stat(dir.path().c_str(), &parent), 0);
  EXPECT_EQ(status.st_gid, parent.st_gid);
}

TEST(Publish, AFailedVerificationLeavesTheOldFileAndNothingElse) {
  const TempDir dir;
  publish(dir / "file", "old");
  const Bytes bytes = as_bytes("new");
  std::filesystem::path seen;
  EXPECT_THROW(publish(dir / "file", std::span(&bytes, 1),
                       [&](const std::filesystem::path& written) {
                         seen = written;
                         EXPECT_EQ(read_text(written), "new");
                         throw DataError("no");
                       }),
               DataError);
  EXPECT_EQ(seen.parent_path(), dir.path());
  EXPECT_EQ(read_text(dir / "file"), "old");
  EXPECT_EQ(entries(dir.path()), 1U);
}

TEST(Publish, MessagesNameTheOperationThePathAndAWayOut) {
  const TempDir dir;
  const auto missing = failure_of(dir / "nowhere/file", "text");
  EXPECT_NE(missing.find("publish.create " + (dir / "nowhere/.file.tmp.").string()),
            std::string::npos)
      << missing;
  EXPECT_NE(missing.find("No such file or directory (check the path)"), std::string::npos);
}

TEST(Publish, AFullDiskLeavesTheOldFileAndNothingElse) {
  const TempDir dir;
  publish(dir / "file", "old");
  const int status = in_child([&] {
    // The kernel refuses to write beyond the limit, as it does on a full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto said = failure_of(dir / "file", std::string(10'000, 'n'));
    return said.find("publish.write") != std::string::npos &&
                   said.find("ulimit -f") != std::string::npos
               ? 0
               : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_text(dir / "file"), "old");
  EXPECT_EQ(entries(dir.path()), 1U);
}

// Mounts a small file system that only this process sees. Who is not root may do so in a user
// namespace of its own, where the machine allows these.
bool mount_small(const std::filesystem::path& place) {
  const auto user = std::to_string(::geteuid());
  const auto group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    evd::test::write_file("/proc/self/setgroups", "deny");
    evd::test::write_file("/proc/self/uid_map", user + " " + user + " 1");
    evd::test::write_file("/proc/self/gid_map", group + " " + group + " 1");
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", place.c_str(), "tmpfs", 0, "size=64k") == 0;
}

TEST(Publish, AFullFileSystemSaysSo) {
  constexpr int kNoMount = 3;
  const TempDir dir;
  const int status = in_child([&] {
    if (!mount_small(dir.path())) return kNoMount;
    publish(dir / "file", "old");
    const auto said = failure_of(dir / "file", std::string(200'000, 'n'));
    const bool is_clear = said.find(
                              "No space left on device (the file system is full: free "
                              "space, then start again)") != std::string::npos;
    return is_clear && read_text(dir / "file") == "old" && entries(dir.path()) == 1 ? 0 : 1;
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMount) {
    if (::geteuid() != 0) GTEST_SKIP() << "this user may mount no file system to fill";
    FAIL() << "root may mount no file system here, so a full one was not tried: give the container "
              "the capability SYS_ADMIN, or run the tests as another user";
  }
  EXPECT_EQ(status, 0);
}

// The number of I/O events of one publish, from its trace.
std::vector<std::string> events_of(const TempDir& dir) {
  const int status = in_child([&] {
    ::setenv("EVD_IO_TRACE", (dir / "trace").c_str(), 1);
    publish(dir / "traced", "text");
    return 0;
  });
  EXPECT_EQ(status, 0);
  std::vector<std::string> names;
  std::ifstream trace(dir / "trace");
  int rank = 0;
  int number = 0;
  std::string name;
  std::string path;
  while (trace >> rank >> number >> name >> path) names.push_back(name);
  return names;
}

TEST(Publish, KilledAtAnyEventLeavesTheOldOrTheNewFile) {
  const TempDir dir;
  const auto names = events_of(dir);
  ASSERT_EQ(names, (std::vector<std::string>{"publish.create", "publish.write", "publish.sync",
                                             "publish.rename", "publish.sync_directory"}));
  const std::string old_text(100'000, 'o');
  const std::string new_text(200'000, 'n');
  for (std::size_t event = 1; event <= names.size(); ++event) {
    publish(dir / "file", old_text);
    const int status = in_child([&] {
      // The counter goes on from the parent's: count from here.
      ::setenv("EVD_IO_TRACE", (dir / "count").c_str(), 1);
      io_event("test", dir.path());
      std::ifstream trace(dir / "count");
      int rank = 0;
      std::size_t number = 0;
      trace >> rank >> number;
      ::unsetenv("EVD_IO_TRACE");
      ::setenv("EVD_KILL_AT", std::to_string(number + event).c_str(), 1);
      publish(dir / "file", new_text);
      return 0;
    });
    std::filesystem::remove(dir / "count");
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << names[event - 1];
    const bool is_renamed = event == names.size();
    EXPECT_EQ(read_text(dir / "file"), is_renamed ? new_text : old_text) << names[event - 1];
  }
}

// Bug: in a container host name and pid come again, and with them the names that a killed life
// left.
TEST(Publish, ANameThatADeadProcessLeftIsPassedOver) {
  const TempDir dir;
  std::string name = temporary_name(dir / "file").string();
  const auto dot = name.rfind('.');
  const auto counter = std::stoull(name.substr(dot + 1));
  const auto later = [&](unsigned long long more) {
    return name.substr(0, dot + 1) + std::to_string(counter + more);
  };
  for (const unsigned long long i : {1, 2}) evd::test::write_file(later(i), "half");
  EXPECT_EQ(failure_of(dir / "file", "text"), "");
  EXPECT_EQ(read_text(dir / "file"), "text");
  for (const unsigned long long i : {1, 2}) EXPECT_EQ(read_text(later(i)), "half");
}

TEST(RemoveLeftovers, TakesOnlyWhatTheDeadLeft) {
  const TempDir dir;
  publish(dir / "file", "text");
  const int status = in_child([&] {
    const Bytes bytes = as_bytes("half");
    publish(dir / "file", std::span(&bytes, 1),
            [](const std::filesystem::path&) { ::kill(::getpid(), SIGKILL); });
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(entries(dir.path()), 2U);
  const auto mine = temporary_name(dir / "set.tmp.h5");
  const std::vector<std::filesystem::path> kept = {mine, dir / ".file.tmp.another-host.1.1",
                                                   dir / ".file.tmp.x", dir / "file.tmp.host.1.1",
                                                   dir / ".hidden"};
  for (const auto& path : kept) evd::test::write_file(path, "");
  EXPECT_EQ(remove_leftovers(dir.path()), 1U);
  for (const auto& path : kept) EXPECT_TRUE(std::filesystem::exists(path)) << path;
  // Of another host: only when nobody has touched it for a day.
  std::filesystem::last_write_time(
      kept[1], std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  EXPECT_EQ(remove_leftovers(dir.path()), 1U);
  EXPECT_EQ(remove_leftovers(dir / "none"), 0U);
  EXPECT_EQ(read_text(dir / "file"), "text");
}

TEST(TemporaryName, SaysWhoMadeIt) {
  const auto owner = parse_temporary_name(temporary_name("a/b.tmp.c.h5").filename().string());
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->pid, ::getpid());
  EXPECT_TRUE(owner->host.ends_with(host_name()));
  for (const auto* name : {"", ".", "file", ".file", ".file.tmp.", ".f.tmp.h.1", ".f.tmp.h.x.1",
                           "f.tmp.h.1.1", ".f.tmp.h.-1.1", ".f.tmp.h.0.1"})
    EXPECT_FALSE(parse_temporary_name(name)) << name;
}

TEST(IoEvent, KillsOnlyTheRankAskedFor) {
  const TempDir dir;
  for (const int rank : {0, 1}) {
    const int status = in_child([&] {
      ::setenv("EVD_KILL_RANK", "1", 1);
      ::setenv("EVD_KILL_AT", "300", 1);
      set_io_rank(rank);
      for (int i = 0; i < 300; ++i) io_event("test", dir.path());
      return 0;
    });
    EXPECT_EQ(WIFSIGNALED(status), rank == 1);
  }
}

}  // namespace
}  // namespace evd::fs
