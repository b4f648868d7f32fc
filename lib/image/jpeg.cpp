#include <array>
#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>
// After jpeglib.h: it needs its types.
#include <jerror.h>

#include "core/error.hpp"
#include "image/codecs.hpp"

namespace evd::image {
namespace {

constexpr std::string_view kFormat = "JPEG";
constexpr long kMaxMemoryBytes = 512L << 20;
constexpr int kMaxScans = 100;

struct Errors {
  jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
  jmp_buf escape;
  char why[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr jpeg) {
  auto* errors = static_cast<Errors*>(static_cast<void*>(jpeg->err));
  jpeg->err->format_message(jpeg, errors->why);
  longjmp(errors->escape, 1);
}

// libjpeg only warns about missing or broken data and paints grey; here that is an error. Oddities
// of the container that lose no pixel stay warnings.
void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
    case JWRN_BOGUS_ICC:
      return;
    default:
      leave(jpeg);
  }
}

// Called between rows and scans: a small file may ask for thousands of scans.
void on_progress(j_common_ptr jpeg) {
  auto* decoder = static_cast<j_decompress_ptr>(static_cast<void*>(jpeg));
  if (decoder->input_scan_number > kMaxScans)
    ERREXIT(jpeg, JERR_BAD_PROGRESSION);  // NOLINT: libjpeg's macro
}

struct Decoder {
  jpeg_decompress_struct jpeg{};
  Errors errors{};
  jpeg_progress_mgr progress{};

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
};

void begin(Decoder& decoder, Bytes encoded) {
  jpeg_create_decompress(&decoder.jpeg);
  decoder.jpeg.mem->max_memory_to_use = kMaxMemoryBytes;
  decoder.progress.progress_monitor = on_progress;
  decoder.jpeg.progress = &decoder.progress;
  jpeg_mem_src(&decoder.jpeg,
               static_cast<const unsigned char*>(static_cast<const void*>(encoded.data())),
               encoded.size());
  jpeg_read_header(&decoder.jpeg, TRUE);
}

/// (height, width, 3) into `out`; false with errors.why set on any damage.
bool read_pixels(Decoder& decoder, Bytes encoded, const Info& info, std::uint8_t* out) {
  decoder.jpeg.err = jpeg_std_error(&decoder.errors.manager);
  decoder.errors.manager.error_exit = leave;
  decoder.errors.manager.emit_message = on_message;
  if (setjmp(decoder.errors.escape) != 0) return false;
  begin(decoder, encoded);
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  jpeg.out_color_space = JCS_RGB;  // CMYK cannot be converted: an error
  jpeg_start_decompress(&jpeg);
  if (jpeg.output_width != static_cast<JDIMENSION>(info.width) ||
      jpeg.output_height != static_cast<JDIMENSION>(info.height) || jpeg.output_components != 3)
    ERREXIT(&jpeg, JERR_BAD_LENGTH);  // NOLINT: libjpeg's macro
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = out + std::size_t{jpeg.output_scanline} * jpeg.output_width * 3;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

unsigned at(Bytes bytes, std::size_t i) { return std::to_integer<unsigned>(bytes[i]); }

bool starts_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool stands_alone(unsigned marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

}  // namespace

Info probe_jpeg(Bytes encoded) {
  std::size_t i = 2;
  while (i + 4 <= encoded.size()) {
    if (at(encoded, i) != 0xFF) throw_damaged(kFormat, "no marker where one should be");
    const unsigned marker = at(encoded, i + 1);
    if (marker == 0xFF || stands_alone(marker)) {
      i += marker == 0xFF ? 1 : 2;
      continue;
    }
    const std::size_t length = at(encoded, i + 2) << 8 | at(encoded, i + 3);
    if (starts_frame(marker)) {
      if (length < 8 || i + 9 > encoded.size()) break;
      const std::int64_t height = at(encoded, i + 5) << 8 | at(encoded, i + 6);
      const std::int64_t width = at(encoded, i + 7) << 8 | at(encoded, i + 8);
      check_size(kFormat, width, height);
      return {"image/jpeg", static_cast<int>(width), static_cast<int>(height)};
    }
    if (length < 2 || marker == 0xDA || marker == 0xD9) break;
    i += 2 + length;
  }
  throw_damaged(kFormat, "no frame header, or cut short before it");
}

Rgb decode_jpeg(Bytes encoded, const Info& info) {
  Decoder decoder;
  Rgb image{info.width, info.height, {}};
  image.pixels.resize(static_cast<std::size_t>(info.width) * static_cast<std::size_t>(info.height) *
                      3);
  if (!read_pixels(decoder, encoded, info, image.pixels.data()))
    throw_damaged(kFormat, static_cast<const char*>(decoder.errors.why));
  return image;
}

}  // namespace evd::image
