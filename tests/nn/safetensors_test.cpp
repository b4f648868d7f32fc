#include "nn/safetensors.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

std::vector<std::byte> file_of(const std::string& header, std::size_t data_bytes) {
  std::vector<std::byte> bytes(8 + header.size() + data_bytes);
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

Safetensors parse(const std::string& header, std::size_t data_bytes) {
  return Safetensors(file_of(header, data_bytes), "test");
}

const std::vector<float> kValues = {1, -2.5F, 3e-8F, 4};
const std::vector<float> kOne = {7};

std::vector<NamedTensor> two_tensors() {
  return {{"z.last", {2, 2}, kValues}, {"a.first", {}, kOne}};
}

TEST(Safetensors, ComeBackAsWritten) {
  const evd::test::TempDir folder;
  const auto written = write_safetensors(folder / "x.safetensors", two_tensors(), {{"k", "v"}});
  const auto file = Safetensors::read(folder / "x.safetensors");
  EXPECT_EQ(file.floats("z.last"), kValues);
  EXPECT_EQ(file.floats("a.first"), kOne);
  EXPECT_EQ(file.tensors().at("z.last").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(file.metadata().at("k"), "v");
  EXPECT_EQ(file.digest(), written.sha256);
  EXPECT_EQ(static_cast<std::uintmax_t>(written.bytes),
            std::filesystem::file_size(folder / "x.safetensors"));
}

TEST(Safetensors, EqualContentGivesEqualBytes) {
  const evd::test::TempDir folder;
  auto turned = two_tensors();
  std::swap(turned[0], turned[1]);
  EXPECT_EQ(write_safetensors(folder / "a", two_tensors(), {}).sha256,
            write_safetensors(folder / "b", turned, {}).sha256);
}

TEST(Safetensors, TheOriginalLibraryReadsOurs) {
  const evd::test::TempDir folder;
  write_safetensors(folder / "x.safetensors", two_tensors(), {{"k", "v"}});
  const std::string script =
      "import sys\n"
      "from safetensors import safe_open\n"
      "f = safe_open(sys.argv[1], 'np')\n"
      "t = f.get_tensor('z.last')\n"
      "print(sorted(f.keys()), sorted(f.metadata().items()), t.shape, t.dtype, float(t[0, 1]), "
      "f.get_tensor('a.first'))\n";
  const auto done = evd::test::run(
      {{evd::test::test_python(), "-c", script, (folder / "x.safetensors").string()}});
  EXPECT_EQ(done.out,
            "['a.first', 'z.last'] [('format', 'pt'), ('k', 'v')] (2, 2) float32 -2.5 7.0\n")
      << done.story();
}

TEST(Safetensors, WeReadTheOriginalLibrarysHalves) {
  const evd::test::TempDir folder;
  const std::string script =
      "import sys, numpy as np\n"
      "from safetensors.numpy import save_file\n"
      "save_file({'h': np.array([1, -2.5, 6e-8, 65504, np.inf], np.float16)}, sys.argv[1])\n";
  const auto done = evd::test::run(
      {{evd::test::test_python(), "-c", script, (folder / "h.safetensors").string()}});
  ASSERT_EQ(done.code, 0) << done.story();
  const auto values = Safetensors::read(folder / "h.safetensors").floats("h");
  EXPECT_EQ(values, (std::vector<float>{1, -2.5F, 0x1.0p-24F, 65504, INFINITY}));
}

TEST(Safetensors, ReadsBf16) {
  auto bytes = file_of(R"({"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4);
  const std::array<std::uint16_t, 2> raw = {0x3f80, 0xc040};
  std::memcpy(bytes.data() + bytes.size() - 4, raw.data(), 4);
  EXPECT_EQ(Safetensors(bytes, "test").floats("b"), (std::vector<float>{1, -3}));
}

TEST(Safetensors, RefusesWhatIsNotOne) {
  const std::vector<std::pair<std::string, std::size_t>> bad = {
      {"", 0},
      {"[]", 0},
      {"{", 0},
      {R"({"a":1})", 0},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3},   // cut
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8},   // too long
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4},   // shape and size
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8},   // hole
      {R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", 4},   // dtype
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4},  // sign
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},  // overlap
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},  // twice
      {R"({"__metadata__":{"k":1}})", 0},
  };
  for (const auto& [header, bytes] : bad) {
    EXPECT_THROW(parse(header, bytes), DataError) << header;
  }
  EXPECT_THROW(Safetensors(std::vector<std::byte>(7), "test"), DataError);
  auto long_header = file_of("{}", 0);
  long_header[7] = std::byte{1};
  EXPECT_THROW(Safetensors(long_header, "test"), DataError);
}

TEST(Safetensors, AZeroSideHidesNoOverflow) {
  EXPECT_THROW(
      parse(R"({"a":{"dtype":"F32","shape":[4611686018427387904,0],"data_offsets":[0,0]}})", 0),
      DataError);
}

TEST(Safetensors, TakesPaddingScalarsAndEmptyTensors) {
  const auto file = parse(R"({"e":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},)"
                          R"("s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )",
                          4);
  EXPECT_TRUE(file.floats("e").empty());
  EXPECT_EQ(file.floats("s").size(), 1U);
}

TEST(Safetensors, TypesThatAreNotReadAreNamed) {
  const auto file = parse(R"({"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8);
  EXPECT_THROW((void)file.floats("i"), DataError);
  EXPECT_THROW((void)file.floats("none"), DataError);
}

}  // namespace
}  // namespace evd::nn
