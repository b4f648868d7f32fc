// Files of weights with bytes changed at random: whatever comes, they are read or refused by a
// DataError. Built with AddressSanitizer and UBSan.
#include <random>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "nn/safetensors.hpp"
#include "nn/torch_file.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

using File = std::vector<std::byte>;

constexpr int kFiles = 100'000;

unsigned draw_seed() {
  const char* given = std::getenv("EVD_TEST_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                         : std::random_device()();
  std::printf("EVD_TEST_SEED=%u repeats this run\n", seed);
  return seed;
}

// Up to eight changes: a bit, a byte, a number of four bytes, bytes from elsewhere, the end cut.
void change(File& file, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return random() % bound; };
  for (std::size_t changes = 1 + below(8); changes-- > 0 && file.size() > 8;) {
    const std::size_t at = below(file.size());
    switch (below(6)) {
      case 0:
        file[at] ^= std::byte(1U << below(8));
        break;
      case 1:
        file[at] = std::byte(below(256));
        break;
      case 2: {
        static constexpr std::array<std::byte, 4> kLimits = {std::byte{0}, std::byte{0x7f},
                                                             std::byte{0x80}, std::byte{0xff}};
        for (std::size_t i = at; i < std::min(at + 4, file.size()); ++i)
          file[i] = kLimits[below(4)];
        break;
      }
      case 3: {
        const std::size_t from = below(file.size());
        const std::size_t bytes = std::min({below(32) + 1, file.size() - at, file.size() - from});
        const File piece(file.begin() + static_cast<std::ptrdiff_t>(from),
                         file.begin() + static_cast<std::ptrdiff_t>(from + bytes));
        std::copy(piece.begin(), piece.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
      case 4:
        file.insert(file.begin() + static_cast<std::ptrdiff_t>(at), std::byte(below(256)));
        break;
      default:
        if (below(8) == 0) file.resize(at);
    }
  }
}

template <class Read>
void survive(const std::vector<File>& originals, Read read) {
  std::mt19937 random(draw_seed());
  int taken = 0;
  for (int i = 0; i < kFiles; ++i) {
    File file = originals[random() % originals.size()];
    change(file, random);
    try {
      read(file);
      ++taken;
    } catch (const DataError& error) {
      // The message is one line that may be printed.
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
  // Had all been refused at the door, nothing behind it would have been tried.
  EXPECT_GT(taken, kFiles / 100);
  EXPECT_LT(taken, kFiles);
  std::printf("%d of %d were still readable\n", taken, kFiles);
}

TEST(WeightsFuzz, Safetensors) {
  const evd::test::TempDir directory;
  const std::vector<float> values(24, 1.5F);
  write_safetensors(directory / "x",
                    {{"a.weight", {2, 3, 4}, values}, {"b", {}, std::span(values).first(1)}},
                    {{"network.width", "24"}, {"note", "\"\\u00e9\""}});
  survive({fs::read_bytes(directory / "x")}, [](const File& file) {
    const Safetensors parsed(file, "x");
    for (const auto& [name, tensor] : parsed.tensors()) {
      static_cast<void>(parsed.bytes(name));
      if (tensor.dtype == "F32") static_cast<void>(parsed.floats(name));
    }
  });
}

TEST(WeightsFuzz, TorchFiles) {
  const evd::test::TempDir directory;
  const auto made = evd::test::run(
      {.arguments = {evd::test::test_torch_python(),
                     (evd::test::source_directory() / "tests/nn/save_torch_files.py").string(),
                     directory.path().string(), "1"},
       .timeout_s = 200});
  ASSERT_EQ(made.code, 0) << made.story();
  std::vector<File> originals;
  for (const char* name : {"top.pth", "train.pth", "views.pth", "views-4.pth", "code.pth"})
    originals.push_back(fs::read_bytes(directory / name));
  survive(originals, [](const File& file) {
    for (const auto& [section, tensors] : read_torch_file(file, "x.pth"))
      for (const auto& [name, tensor] : tensors) static_cast<void>(tensor.elements());
  });
}

}  // namespace
}  // namespace evd::nn
