#include "fs/file.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "fs/child.hpp"
#include "fs/read_file.hpp"
#include "support/temp_dir.hpp"

namespace evd::fs {
namespace {

using evd::test::in_child;
using evd::test::TempDir;
using evd::test::write_file;

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

template <class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ReadWholeFiles, BytesTextAndDigestAgree) {
  const TempDir dir;
  const std::string text = std::string("a\0b", 3) + std::string(3'000'000, 'z');
  write_file(dir / "file", text);
  EXPECT_EQ(read_text(dir / "file"), text);
  EXPECT_EQ(read_bytes(dir / "file").size(), text.size());
  EXPECT_EQ(sha256_file(dir / "file"), sha256(text));
}

TEST(ReadWholeFiles, LimitsAndMissingFilesAreTold) {
  const TempDir dir;
  write_file(dir / "file", std::string(2000, 'x'));
  EXPECT_THROW(static_cast<void>(read_bytes(dir / "file", 1999)), DataError);
  EXPECT_NE(message_of([&] {
              static_cast<void>(read_text(dir / "file", 1000));
            }).find("2.0 kB (more than the 1.0 kB"),
            std::string::npos);
  EXPECT_THROW(static_cast<void>(read_text(dir / "none")), IoError);
  EXPECT_THROW(static_cast<void>(read_text(dir.path())), IoError);
}

TEST(ReadWholeFiles, ANamedPipeDoesNotHang) {
  const TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(static_cast<void>(read_text(dir / "pipe")), IoError);
}

TEST(ReadFile, ReadsAnywhereFromManyThreads) {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>('a' + i % 26);
  write_file(dir / "file", text);
  const ReadFile file(dir / "file");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::string part(100, '\0');
      for (std::size_t at = t; at + part.size() < text.size(); at += 997) {
        file.read_at(at, std::as_writable_bytes(std::span(part)));
        if (part != text.substr(at, part.size())) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ReadFile, TheEndOfTheFileIsADataError) {
  const TempDir dir;
  write_file(dir / "file", "abc");
  std::array<std::byte, 4> bytes{};
  const auto said = message_of([&] { ReadFile(dir / "file").read_at(0, bytes); });
  EXPECT_EQ(said, (dir / "file").string() + ": ends at byte 3 (it is truncated)");
}

TEST(AppendFile, GivesOffsetsAndKeepsTheOrder) {
  const TempDir dir;
  AppendFile file(dir / "journal");
  EXPECT_EQ(file.append(as_bytes("one")), 0U);
  EXPECT_EQ(file.append(as_bytes("three")), 3U);
  file.sync();
  AppendFile moved = std::move(file);
  EXPECT_EQ(moved.append(as_bytes("!")), 8U);
  moved.sync();
  EXPECT_EQ(read_text(dir / "journal"), "onethree!");
}

TEST(AppendFile, IsNeverContinuedByAnother) {
  const TempDir dir;
  { AppendFile file(dir / "journal"); }
  EXPECT_THROW(AppendFile(dir / "journal"), IoError);
}

TEST(AppendFile, NothingFollowsAFailedRecord) {
  const TempDir dir;
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    AppendFile file(dir / "journal");
    file.append(as_bytes("first"));
    const std::string large(10'000, 'x');
    const auto full = message_of([&] { file.append(as_bytes(large)); });
    const auto after = message_of([&] { file.append(as_bytes("s")); });
    const auto sync = message_of([&] { file.sync(); });
    return full.find("append.write") != std::string::npos &&
                   after.find("an earlier write to it failed") != std::string::npos &&
                   sync.find("an earlier write to it failed") != std::string::npos
               ? 0
               : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_text(dir / "journal").substr(0, 5), "first");
}

std::int64_t bytes_on_disk(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return std::int64_t{status.st_blocks} * 512;
}

TEST(AppendFile, TakesRoomAheadAndGivesBackWhatIsLeft) {
  const TempDir dir;
  {
    AppendFile file(dir / "journal");
    file.reserve(1 << 20);
    EXPECT_GE(bytes_on_disk(dir / "journal"), 1 << 20);
    EXPECT_EQ(std::filesystem::file_size(dir / "journal"), 0U);
    EXPECT_EQ(file.append(as_bytes("one")), 0U);
    file.reserve(1 << 20);
    EXPECT_EQ(file.append(as_bytes("two")), 3U);
    file.sync();
  }
  EXPECT_EQ(read_text(dir / "journal"), "onetwo");
  EXPECT_LT(bytes_on_disk(dir / "journal"), 1 << 16);
}

TEST(AppendFile, RoomThatIsNotThereIsAnErrorAndTheFileGoesOn) {
  const TempDir dir;
  const int status = in_child([&] {
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    AppendFile file(dir / "journal");
    const auto full = message_of([&] { file.reserve(2 << 20); });
    file.append(as_bytes("one"));
    file.sync();
    return full.find("append.reserve " + (dir / "journal").string() + ": File too large") == 0 ? 0
                                                                                               : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_text(dir / "journal"), "one");
}

TEST(MakeDirectory, MakesParentsWithTheModeOfTheNearestOne) {
  const TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms{02770});
  const mode_t before = ::umask(077);
  make_directory(dir / "a/b/c");
  make_directory(dir / "a/b/c");
  make_directory(dir / "a/d/");
  ::umask(before);
  EXPECT_EQ(mode_of(dir / "a"), 02770U);
  EXPECT_EQ(mode_of(dir / "a/b/c"), 02770U);
  EXPECT_TRUE(std::filesystem::is_directory(dir / "a/d"));
}

TEST(MakeDirectory, AFileInTheWayIsTold) {
  const TempDir dir;
  write_file(dir / "a", "");
  EXPECT_THROW(make_directory(dir / "a/b"), IoError);
  EXPECT_THROW(make_directory(dir / "a"), IoError);
}

TEST(MakeDirectory, ManyAtOnceAllSucceed) {
  const TempDir dir;
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) try {
          make_directory(dir / ("x/" + std::to_string(i) + "/y"));
        } catch (const Error&) {
          ++failed;
        }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
}

TEST(Rename, MovesDirectoriesAndNeverReplaces) {
  const TempDir dir;
  make_directory(dir / "judge");
  write_file(dir / "judge/file", "text");
  fs::rename(dir / "judge", dir / "judge.retired-001");
  EXPECT_EQ(read_text(dir / "judge.retired-001/file"), "text");
  make_directory(dir / "judge");
  EXPECT_THROW(fs::rename(dir / "judge", dir / "judge.retired-001"), IoError);
  EXPECT_TRUE(std::filesystem::exists(dir / "judge"));
  EXPECT_THROW(fs::rename(dir / "none", dir / "other"), IoError);
}

}  // namespace
}  // namespace evd::fs
