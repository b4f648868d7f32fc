#include "h5/file.hpp"

#include <cstring>
#include <fstream>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "h5/memory_file.hpp"
#include "h5/variable_text.hpp"
#include "support/temp_dir.hpp"

namespace evd::h5 {
namespace {

using evd::test::read_file;
using evd::test::TempDir;
using evd::test::write_file;

void save(const std::filesystem::path& path, FileImage image) {
  const auto bytes = image.bytes();
  write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::vector<std::int32_t> counting(std::size_t count) {
  std::vector<std::int32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

ReadAt reader_of(const std::string& content) {
  return [&content](std::uint64_t offset, std::span<std::byte> out) {
    std::memcpy(out.data(), content.data() + offset, out.size());
  };
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Pictures go from the rows to the disk: a writer that touched their place would need twice as
// much.
TEST(MemoryFile, ReservedBytesTakeNoMemory) {
  constexpr std::uint64_t kReserved = 1ULL << 30;
  const std::size_t before = resident_bytes();
  MemoryFile file("big");
  const std::uint64_t offset = file.reserve_bytes("bytes", kReserved);
  const auto numbers = counting(1000);
  file.write("numbers", Type::i32(), numbers.size(), std::as_bytes(std::span(numbers)));
  FileImage image = file.finish();
  EXPECT_GE(image.bytes().size(), offset + kReserved);
  EXPECT_LT(resident_bytes(), before + (64U << 20));
}

TEST(MemoryFile, EverythingComesBack) {
  const TempDir dir;
  // More than a chunk, so that there is an index of chunks.
  const auto numbers = counting(300'000);
  MemoryFile file("a.h5");
  file.write("numbers", Type::i32(), numbers.size(), std::as_bytes(std::span(numbers)));
  file.write("none", Type::f64(), 0, {});
  const std::vector<const char*> texts = {"", "one", "\u6f22\u5b57"};
  file.write_variable("texts", texts);
  const std::uint64_t offset = file.reserve_bytes("raw", 5);
  EXPECT_EQ(file.reserve_bytes("empty", 0), 0U);
  file.attribute("/", "name", "value");
  file.attribute("/", "empty", "");
  file.attribute("numbers", "sum", std::uint64_t{7});
  file.attribute("/", "version", std::vector<std::int32_t>{1, 2, 3});
  FileImage image = file.finish();
  std::memcpy(image.bytes().data() + offset, "bytes", 5);
  save(dir / "a.h5", std::move(image));

  const File back(dir / "a.h5");
  EXPECT_EQ(back.text_attribute("name"), "value");
  EXPECT_EQ(back.text_attribute("empty"), "");
  EXPECT_EQ(back.text_attribute("other"), std::nullopt);
  EXPECT_EQ(back.numbers_attribute("version"), (std::vector<std::int32_t>{1, 2, 3}));
  const Dataset dataset = back.dataset("numbers");
  EXPECT_EQ(dataset.layout(), Layout::chunked);
  EXPECT_EQ(dataset.number_attribute("sum"), 7U);
  std::vector<std::int32_t> read(dataset.rows());
  dataset.read(std::as_writable_bytes(std::span(read)));
  EXPECT_EQ(read, numbers);
  EXPECT_EQ(back.dataset("none").rows(), 0U);
  EXPECT_EQ(back.dataset("empty").rows(), 0U);
  const std::string content = read_file(dir / "a.h5");
  EXPECT_EQ(read_variable_texts(back.dataset("texts"), content.size(), reader_of(content)),
            (std::vector<std::string>{"", "one", "\u6f22\u5b57"}));
  const Extent raw = back.dataset("raw").extent();
  EXPECT_EQ(content.substr(raw.offset, raw.bytes), "bytes");
  EXPECT_TRUE(back.has("raw"));
  EXPECT_FALSE(back.has("rare"));
}

TEST(MemoryFile, IsAsLongAsWhatIsInIt) {
  const auto numbers = counting(10);
  MemoryFile file("a.h5");
  file.write("numbers", Type::i32(), 10, std::as_bytes(std::span(numbers)));
  EXPECT_LT(file.finish().bytes().size(), 3000U);
}

TEST(MemoryFile, AnAbandonedOneLeavesNothing) {
  for (int i = 0; i < 100; ++i) {
    MemoryFile file("a.h5");
    static_cast<void>(file.reserve_bytes("raw", 1U << 20));
  }
}

TEST(MemoryFile, MisuseIsAnIoErrorWithTheReasonOfHdf5) {
  MemoryFile file("a.h5");
  static_cast<void>(file.reserve_bytes("raw", 5));
  try {
    static_cast<void>(file.reserve_bytes("raw", 5));
    FAIL() << "no error";
  } catch (const IoError& error) {
    EXPECT_EQ(std::string(error.what()), "a.h5: /raw: H5Dcreate failed (name already exists)");
  }
}

TEST(MemoryFile, ManyThreadsBuildAtOnce) {
  std::vector<std::thread> threads;
  std::vector<Sha256> digests(4);
  for (std::size_t t = 0; t < digests.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto numbers = counting(5000);
        MemoryFile file("a.h5");
        file.write("numbers", Type::i32(), numbers.size(), std::as_bytes(std::span(numbers)));
        FileImage image = file.finish();
        digests[t] = sha256(Bytes(image.bytes()));
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& digest : digests) EXPECT_EQ(digest, digests[0]);
}

TEST(File, SaysWhatIsWrongInOneLine) {
  const TempDir dir;
  EXPECT_THROW(File(dir / "none.h5"), IoError);
  EXPECT_THROW(File(dir.path()), IoError) << "what cannot be read is not called damaged";
  write_file(dir / "text.h5", "hello, this is no such file");
  try {
    const File file(dir / "text.h5");
    FAIL() << "opened";
  } catch (const DataError& error) {
    EXPECT_EQ(std::string(error.what()),
              (dir / "text.h5").string() + ": not an HDF5 file (its first 8 bytes say so)");
  }
  write_file(dir / "magic.h5", "\x89HDF\r\n\x1a\n" + std::string(100, '\xff'));
  EXPECT_THROW(File(dir / "magic.h5"), DataError);
  EXPECT_THROW(File(dir.path()), Error);
}

TEST(Type, DescribesItself) {
  static constexpr std::array<std::string_view, 2> kNames = {"no", "yes"};
  EXPECT_EQ(Type::i32().describe(), "int32");
  EXPECT_EQ(Type::u8().describe(), "uint8");
  EXPECT_EQ(Type::f64().describe(), "float64");
  EXPECT_EQ(Type::ascii(32).describe(), "ASCII of 32 bytes");
  EXPECT_EQ(Type::utf8_variable().describe(), "variable-length UTF-8");
  EXPECT_EQ(Type::enumeration(kNames).describe(), "enum (no, yes)");
  EXPECT_TRUE(Type::ascii(3) == Type::ascii(3));
  EXPECT_FALSE(Type::ascii(3) == Type::utf8(3));
  EXPECT_EQ(Type::utf8(9).fixed_text_bytes(), 9U);
  EXPECT_EQ(Type::i64().fixed_text_bytes(), std::nullopt);
}

TEST(Library, PrintsNoErrorsOfItsOwn) {
  const TempDir dir;
  ::testing::internal::CaptureStderr();
  write_file(dir / "magic.h5", "\x89HDF\r\n\x1a\n" + std::string(100, '\xff'));
  std::thread([&] { EXPECT_THROW(File(dir / "magic.h5"), DataError); }).join();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace evd::h5
