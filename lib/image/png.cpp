#include <csetjmp>
#include <cstring>
#include <new>

#include <png.h>

#include "core/error.hpp"
#include "image/codecs.hpp"

namespace evd::image {
namespace {

constexpr std::string_view kFormat = "PNG";
constexpr std::size_t kMaxChunkBytes = 8U << 20;
constexpr int kMaxChunks = 1000;

/// libpng leaves its calls by longjmp: everything with a destructor lives outside the functions
/// that call setjmp.
struct Reader {
  Bytes encoded;
  std::size_t at = 0;
  char why[120] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;

  explicit Reader(Bytes bytes) : encoded(bytes) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct Writer {
  std::vector<std::byte> out;
  char why[120] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;

  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { png_destroy_write_struct(&png, &info); }
};

template <class State>
[[noreturn]] void on_error(png_structp png, png_const_charp why) {
  auto* state = static_cast<State*>(png_get_error_ptr(png));
  std::strncpy(state->why, why, sizeof state->why - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t count) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (reader->encoded.size() - reader->at < count) png_error(png, "cut short");
  std::memcpy(out, reader->encoded.data() + reader->at, count);
  reader->at += count;
}

void on_write(png_structp png, png_bytep bytes, std::size_t count) {
  auto* writer = static_cast<Writer*>(png_get_io_ptr(png));
  bool full = false;
  try {
    const auto* first = static_cast<const std::byte*>(static_cast<const void*>(bytes));
    writer->out.insert(writer->out.end(), first, first + count);
  } catch (const std::bad_alloc&) {
    full = true;  // an exception must not pass through C frames
  }
  if (full) png_error(png, "out of memory");
}

void set_limits(png_structp png) {
  png_set_user_limits(png, kMaxSide, kMaxSide);
  png_set_chunk_malloc_max(png, kMaxChunkBytes);
  png_set_chunk_cache_max(png, kMaxChunks);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
}

// Every kind of PNG becomes 8-bit RGBA.
void set_transforms(png_structp png) {
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
}

/// (height, width, 4) into `rows`; false with reader.why set on any damage.
bool read_rows(Reader& reader, png_bytepp rows, png_uint_32 width, png_uint_32 height) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  set_limits(reader.png);
  png_set_read_fn(reader.png, &reader, on_read);
  png_read_info(reader.png, reader.info);
  if (png_get_image_width(reader.png, reader.info) != width ||
      png_get_image_height(reader.png, reader.info) != height)
    png_error(reader.png, "two sizes");
  set_transforms(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  if (png_get_rowbytes(reader.png, reader.info) != std::size_t{width} * 4)
    png_error(reader.png, "unknown pixel layout");
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);
  return true;
}

bool write_rows(Writer& writer, png_bytepp rows, png_uint_32 width, png_uint_32 height) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) return false;
  png_set_write_fn(writer.png, &writer, on_write, nullptr);
  png_set_user_limits(writer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(writer.png, writer.info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(writer.png, 3);
  png_set_filter(writer.png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB | PNG_FILTER_UP);
  png_write_info(writer.png, writer.info);
  png_write_image(writer.png, rows);
  png_write_end(writer.png, nullptr);
  return true;
}

std::vector<png_bytep> row_pointers(std::uint8_t* pixels, std::size_t stride_bytes, int height) {
  std::vector<png_bytep> rows(static_cast<std::size_t>(height));
  for (auto& row : rows) {
    row = pixels;
    pixels += stride_bytes;
  }
  return rows;
}

std::uint32_t big_endian(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

}  // namespace

Info probe_png(Bytes encoded) {
  constexpr std::size_t kHeaderBytes = 33;  // signature, then the whole IHDR chunk
  if (encoded.size() < kHeaderBytes) throw_damaged(kFormat, "cut short");
  if (std::memcmp(encoded.data() + 12, "IHDR", 4) != 0) throw_damaged(kFormat, "no header");
  const std::int64_t width = big_endian(encoded, 16);
  const std::int64_t height = big_endian(encoded, 20);
  check_size(kFormat, width, height);
  return {"image/png", static_cast<int>(width), static_cast<int>(height)};
}

Rgb decode_png(Bytes encoded, const Info& info) {
  Reader reader(encoded);
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error<Reader>, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) throw InternalError("libpng: no memory for a reader");
  const std::size_t stride_bytes = static_cast<std::size_t>(info.width) * 4;
  std::vector<std::uint8_t> rgba(stride_bytes * static_cast<std::size_t>(info.height));
  auto rows = row_pointers(rgba.data(), stride_bytes, info.height);
  if (!read_rows(reader, rows.data(), static_cast<png_uint_32>(info.width),
                 static_cast<png_uint_32>(info.height)))
    throw_damaged(kFormat, reader.why);
  return {info.width, info.height, over_white(rgba)};
}

std::vector<std::byte> encode_png(const Rgb& image) {
  const std::size_t stride_bytes = static_cast<std::size_t>(image.width) * 3;
  if (image.width < 1 || image.height < 1 ||
      image.pixels.size() != stride_bytes * static_cast<std::size_t>(image.height))
    throw InternalError("encode_png: " + std::to_string(image.pixels.size()) + " bytes are not " +
                        std::to_string(image.width) + " x " + std::to_string(image.height));
  Writer writer;
  writer.png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_error<Writer>, on_warning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) throw InternalError("libpng: no memory for a writer");
  std::vector<std::uint8_t> pixels = image.pixels;  // libpng wants rows it could write to
  auto rows = row_pointers(pixels.data(), stride_bytes, image.height);
  if (!write_rows(writer, rows.data(), static_cast<png_uint_32>(image.width),
                  static_cast<png_uint_32>(image.height)))
    throw InternalError(std::string("libpng: ") + writer.why);
  return std::move(writer.out);
}

}  // namespace evd::image
