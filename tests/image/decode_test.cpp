#include <gtest/gtest.h>
#include <png.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "image/samples.hpp"

namespace evd::image::test {
namespace {

struct Kind {
  const char* name;
  const char* mime;
  File file;
  int tolerance;  // what the format may lose
};

const Rgb& picture() {
  static const Rgb image = smooth_image(61, 47);
  return image;
}

std::vector<Kind> kinds() {
  return {{"png", "image/png", encode_png(picture()), 0},
          {"jpeg", "image/jpeg", jpeg_file(picture()), 8},
          {"jpeg-progressive", "image/jpeg", jpeg_file(picture(), Scans::progressive), 8},
          {"webp", "image/webp", webp_file(picture()), 12},
          {"webp-lossless", "image/webp", webp_lossless_file(picture()), 0}};
}

TEST(Decode, EveryFormatGivesThePixelsBack) {
  for (const Kind& kind : kinds()) {
    const Info info = probe(kind.file);
    EXPECT_EQ(info.mime, kind.mime);
    EXPECT_EQ(info.width, 61);
    EXPECT_EQ(info.height, 47);
    EXPECT_LE(largest_difference(decode(kind.file), picture()), kind.tolerance) << kind.name;
  }
}

TEST(Decode, CutShortAnywhereIsADataError) {
  for (const Kind& kind : kinds()) {
    for (std::size_t kept = 0; kept < kind.file.size(); kept += 64)
      EXPECT_NE(complaint(Bytes(kind.file).first(kept)), "") << kind.name << " at " << kept;
    for (std::size_t lost = 1; lost <= 16; ++lost)
      EXPECT_NE(complaint(Bytes(kind.file).first(kind.file.size() - lost)), "")
          << kind.name << " without its last " << lost;
  }
}

TEST(Decode, FlippedBytesNeverCrash) {
  Random random(7, Purpose::test);
  int refused = 0;
  for (const Kind& kind : kinds()) {
    for (int trial = 0; trial < 400; ++trial) {
      File broken = kind.file;
      for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips)
        broken[random.below(broken.size())] ^= std::byte(1 + random.below(255));
      refused += complaint(broken).empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 400);  // every flip in a PNG alone
}

TEST(Decode, EveryFlippedByteOfAPngIsFound) {
  const File good = encode_png(smooth_image(9, 5));
  for (std::size_t i = 0; i < good.size(); ++i) {
    File broken = good;
    broken[i] ^= std::byte{0x10};
    EXPECT_NE(complaint(broken), "") << "byte " << i;
  }
}

TEST(Decode, OtherFormatsAreNamedAsSuch) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("GIF89a\x01\x00\x01\x00"),
        std::string_view("<html><body>busy</body></html>"), std::string_view("<svg/>"),
        std::string_view("RIFF\x10\x00\x00\x00WAVEfmt ", 16)})
    EXPECT_NE(complaint(as_bytes(text)).find("neither PNG, JPEG nor WebP"), std::string::npos)
        << text;
}

TEST(Decode, ABombIsRefusedByItsHeader) {
  EXPECT_NE(complaint(png_header(30000, 30000)).find("sides must lie in 1..8192"),
            std::string::npos);
  EXPECT_NE(complaint(png_header(0, 10)).find("sides must lie"), std::string::npos);
  EXPECT_NE(complaint(png_header(0xFFFFFFFFU, 1)).find("sides must lie"), std::string::npos);
  EXPECT_NE(complaint(png_header(8192, 8192)).find("33 megapixels"), std::string::npos);
  EXPECT_NE(complaint(png_header(64, 64)).find("cut short"), std::string::npos);
}

TEST(Decode, AlphaIsLaidOverWhite) {
  const Rgb image = decode(png_file(
      {3, 1, 8, PNG_COLOR_TYPE_RGBA, false, {200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51}}));
  EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{200, 100, 0, 255, 255, 255, 244, 224, 204}));
}

TEST(Decode, EveryKindOfPngBecomesRgb) {
  const auto pixels = [](const RawPng& raw) { return decode(png_file(raw)).pixels; };
  using Pixels = std::vector<std::uint8_t>;
  EXPECT_EQ(pixels({2, 1, 8, PNG_COLOR_TYPE_GRAY, false, {7, 250}}),
            (Pixels{7, 7, 7, 250, 250, 250}));
  EXPECT_EQ(pixels({2, 1, 1, PNG_COLOR_TYPE_GRAY, false, {0x40}}),
            (Pixels{0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(pixels({1, 1, 16, PNG_COLOR_TYPE_RGB, false, {0x80, 0x80, 0, 0, 0xFF, 0xFF}}),
            (Pixels{128, 0, 255}));
  // The third colour of the palette is transparent.
  EXPECT_EQ(pixels({4, 1, 2, PNG_COLOR_TYPE_PALETTE, false, {0x1B}}),
            (Pixels{255, 0, 0, 0, 255, 0, 255, 255, 255, 9, 8, 7}));
}

TEST(Decode, InterlacedPngGivesTheSamePixels) {
  const Rgb image = formula_image(19, 23);
  const RawPng raw{19, 23, 8, PNG_COLOR_TYPE_RGB, true, image.pixels};
  EXPECT_EQ(decode(png_file(raw)).pixels, image.pixels);
}

}  // namespace
}  // namespace evd::image::test
