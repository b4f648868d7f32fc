#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "image/codecs.hpp"
#include "image/samples.hpp"

namespace evd::image::test {
namespace {

bool is_refused(Bytes encoded) {
  try {
    static_cast<void>(check(encoded));
    return false;
  } catch (const DataError&) {
    return true;
  }
}

bool takes(Bytes png) { return is_sound_png(png, probe_png(png)); }

void put(File& file, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    file[at + static_cast<std::size_t>(i)] = static_cast<std::byte>(value >> (24 - 8 * i));
}

std::uint32_t get(const File& file, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(file[i]);
  return value;
}

// The checksum of the chunk that begins at `at`, made right again.
void seal(File& file, std::size_t at) {
  const std::size_t length = get(file, at);
  put(file, at + 8 + length,
      static_cast<std::uint32_t>(
          crc32(0, reinterpret_cast<const Bytef*>(&file[at + 4]), static_cast<uInt>(4 + length))));
}

File chunk(std::string_view name, Bytes data) {
  File file(12 + data.size());
  put(file, 0, static_cast<std::uint32_t>(data.size()));
  std::transform(name.begin(), name.end(), file.begin() + 4,
                 [](char c) { return static_cast<std::byte>(c); });
  std::copy(data.begin(), data.end(), file.begin() + 8);
  seal(file, 0);
  return file;
}

constexpr std::size_t kHeaderEnd = 33;

// A grey picture of this size whose compressed pixels are `pixels`.
File png_of(std::uint32_t width, std::uint32_t height, Bytes pixels, Bytes between = {}) {
  File file = png_header(width, height);
  file.resize(kHeaderEnd);
  file[24] = std::byte{8};
  file[25] = std::byte{PNG_COLOR_TYPE_GRAY};
  seal(file, 8);
  file.insert(file.end(), between.begin(), between.end());
  for (const File& part : {chunk("IDAT", pixels), chunk("IEND", {})})
    file.insert(file.end(), part.begin(), part.end());
  return file;
}

File deflated(std::span<const std::uint8_t> rows) {
  uLongf length = compressBound(rows.size());
  File out(length);
  compress(reinterpret_cast<Bytef*>(out.data()), &length, rows.data(), rows.size());
  out.resize(length);
  return out;
}

TEST(Check, TakesEveryFormatAndSaysWhatItIs) {
  const Rgb picture = smooth_image(61, 47);
  for (const File& file : {encode_png(picture), jpeg_file(picture), webp_file(picture)}) {
    const Info info = check(file);
    EXPECT_EQ(info.mime, probe(file).mime);
    EXPECT_EQ(info.width, 61);
    EXPECT_EQ(info.height, 47);
  }
}

TEST(Check, LooksAtAPlainPngByItself) {
  EXPECT_TRUE(takes(encode_png(formula_image(200, 180))));
  for (const int kind : {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGBA})
    EXPECT_TRUE(takes(png_file({180, 200, 8, kind, false, std::vector<std::uint8_t>(144'000)})))
        << kind;
}

TEST(Check, LeavesOtherKindsOfPngToTheDecoder) {
  const std::vector<RawPng> others = {
      {180, 200, 8, PNG_COLOR_TYPE_RGB, true, std::vector<std::uint8_t>(108'000)},
      {180, 200, 16, PNG_COLOR_TYPE_RGB, false, std::vector<std::uint8_t>(216'000)},
      {4, 1, 2, PNG_COLOR_TYPE_PALETTE, false, {0x1B}}};
  for (const RawPng& raw : others) {
    const File file = png_file(raw);
    EXPECT_FALSE(takes(file));
    EXPECT_FALSE(is_refused(file));
  }
}

TEST(Check, PixelDataOfAnotherLengthIsNoSoundPng) {
  const std::vector<std::uint8_t> rows(200 * 201, 0);
  EXPECT_TRUE(takes(png_of(200, 200, deflated(rows))));
  EXPECT_FALSE(takes(png_of(200, 201, deflated(rows))));
  EXPECT_FALSE(takes(png_of(200, 199, deflated(rows))));
  EXPECT_TRUE(is_refused(png_of(200, 201, deflated(rows))));
}

TEST(Check, AnUnknownFilterIsRefused) {
  std::vector<std::uint8_t> rows(200 * 201, 0);
  rows[150 * 201] = 5;
  EXPECT_FALSE(takes(png_of(200, 200, deflated(rows))));
  EXPECT_TRUE(is_refused(png_of(200, 200, deflated(rows))));
}

// zlib refuses what reaches beyond the window that the stream declares; libdeflate does not look.
TEST(Check, AReferenceBeyondTheDeclaredWindowIsRefusedAsTheDecoderDoes) {
  std::vector<std::uint8_t> rows(200 * 201, 0);
  Random random(3, Purpose::test);
  for (std::size_t i = 0; i < 20'000; ++i)
    if (i % 201 != 0) rows[i] = static_cast<std::uint8_t>(random.below(256));
  std::copy_n(rows.begin(), 100 * 201, rows.begin() + 100 * 201);
  File pixels = deflated(rows);
  ASSERT_TRUE(takes(png_of(200, 200, pixels)));
  pixels[0] = std::byte{0x18};  // a window of 512 bytes
  pixels[1] = std::byte{0x19};  // the header's own check
  const File file = png_of(200, 200, pixels);
  ASSERT_FALSE(complaint(file).empty());
  EXPECT_TRUE(is_refused(file));
}

TEST(Check, ChunksAsideDoNotMatterAndTransparencyGoesToTheDecoder) {
  const std::vector<std::uint8_t> rows(200 * 201, 0);
  const std::vector<std::byte> some(100);
  EXPECT_TRUE(takes(png_of(200, 200, deflated(rows), chunk("caBX", some))));
  EXPECT_FALSE(takes(png_of(200, 200, deflated(rows), chunk("tRNS", some))));
  EXPECT_FALSE(takes(png_of(200, 200, deflated(rows), chunk("CRIT", some))));
  EXPECT_TRUE(is_refused(png_of(200, 200, deflated(rows), chunk("CRIT", some))));
}

// Damage whose chunk carries a right checksum reaches what lies below the checksum.
TEST(Check, AgreesWithTheDecoderOnAnyDamage) {
  Random random(5, Purpose::test);
  const File good = encode_png(formula_image(120, 100));
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    File broken = good;
    if (trial % 3 == 0) broken.resize(random.below(broken.size()));
    for (std::uint64_t flips = 1 + random.below(2); flips > 0 && !broken.empty(); --flips)
      broken[random.below(trial % 2 == 0 ? broken.size()
                                         : std::min<std::size_t>(60, broken.size()))] ^=
          std::byte(1U << random.below(8));
    if (trial % 3 != 0) {
      for (std::size_t at = 8; at + 12 <= broken.size();) {
        const std::size_t length = get(broken, at);
        if (length > broken.size() - at - 12) break;
        seal(broken, at);
        at += 12 + length;
      }
    }
    EXPECT_EQ(is_refused(broken), !complaint(broken).empty()) << "trial " << trial;
    refused += is_refused(broken) ? 1 : 0;
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace evd::image::test
