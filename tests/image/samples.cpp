#include "image/samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

#include "core/error.hpp"

namespace evd::image::test {
namespace {

template <class Pixel>
Rgb painted(int width, int height, Pixel pixel) {
  Rgb image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(pixel(x, y, c)));
  return image;
}

File to_file(const std::uint8_t* data, std::size_t count) {
  const Bytes bytes = std::as_bytes(std::span(data, count));
  return {bytes.begin(), bytes.end()};
}

void append(png_structp png, png_bytep bytes, std::size_t count) {
  const File piece = to_file(bytes, count);
  auto* out = static_cast<File*>(png_get_io_ptr(png));
  out->insert(out->end(), piece.begin(), piece.end());
}

void push_u32(File& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(std::byte(value >> shift & 255U));
}

std::uint32_t crc32_of(Bytes bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int k = 0; k < 8; ++k) crc = (crc & 1U) != 0 ? 0xEDB88320U ^ crc >> 1 : crc >> 1;
  }
  return ~crc;
}

}  // namespace

Rgb formula_image(int width, int height) {
  return painted(width, height,
                 [](int x, int y, int c) { return (37 * x + 59 * y + 101 * c + 7 * x * y) % 256; });
}

Rgb smooth_image(int width, int height) {
  return painted(width, height, [=](int x, int y, int c) {
    return std::lround(127.5 + 100 * std::sin(3.0 * x / width + c) * std::cos(2.0 * y / height));
  });
}

File jpeg_file(const Rgb& image, Scans scans) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long out_bytes = 0;
  jpeg_mem_dest(&jpeg, &out, &out_bytes);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  if (scans == Scans::progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  auto pixels = image.pixels;
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row = &pixels[std::size_t{jpeg.next_scanline} * jpeg.image_width * 3];
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  File file = to_file(out, out_bytes);
  std::free(out);
  return file;
}

File webp_file(const Rgb& image) {
  std::uint8_t* out = nullptr;
  const std::size_t count =
      WebPEncodeRGB(image.pixels.data(), image.width, image.height, image.width * 3, 95.0F, &out);
  File file = to_file(out, count);
  WebPFree(out);
  return file;
}

File webp_lossless_file(const Rgb& image) {
  std::uint8_t* out = nullptr;
  const std::size_t count =
      WebPEncodeLosslessRGB(image.pixels.data(), image.width, image.height, image.width * 3, &out);
  File file = to_file(out, count);
  WebPFree(out);
  return file;
}

File png_file(const RawPng& raw) {
  File out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, append, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(raw.width), static_cast<png_uint_32>(raw.height),
               raw.bit_depth, raw.color_type,
               raw.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (raw.color_type == PNG_COLOR_TYPE_PALETTE) {
    const png_color palette[] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 8, 7}};
    png_set_PLTE(png, info, &palette[0], 4);
    const png_byte alpha[] = {255, 255, 0, 255};
    png_set_tRNS(png, info, &alpha[0], 4, nullptr);
  }
  png_write_info(png, info);
  auto pixels = raw.pixels;
  const std::size_t stride_bytes = pixels.size() / static_cast<std::size_t>(raw.height);
  std::vector<png_bytep> rows;
  for (std::size_t at = 0; at < pixels.size(); at += stride_bytes) rows.push_back(&pixels[at]);
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

File png_header(std::uint32_t width, std::uint32_t height) {
  const std::string_view signature = "\x89PNG\r\n\x1a\n";
  File out(as_bytes(signature).begin(), as_bytes(signature).end());
  push_u32(out, 13);
  const std::size_t start = out.size();
  for (const char c : std::string_view("IHDR")) out.push_back(std::byte(c));
  push_u32(out, width);
  push_u32(out, height);
  for (const int value : {8, 2, 0, 0, 0}) out.push_back(std::byte(value));
  push_u32(out, crc32_of(Bytes(out).subspan(start)));
  return out;
}

std::string complaint(Bytes encoded) {
  try {
    const Rgb image = decode(encoded);
    // A taken image is at least whole in itself.
    if (image.pixels.size() !=
        static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3)
      return "taken, but of a wrong size";
    return "";
  } catch (const DataError& error) {
    return error.what();
  }
}

int largest_difference(const Rgb& a, const Rgb& b) {
  if (a.width != b.width || a.height != b.height || a.pixels.size() != b.pixels.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

}  // namespace evd::image::test
