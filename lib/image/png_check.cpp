#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include <libdeflate.h>

#include "image/codecs.hpp"

namespace evd::image {
namespace {

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kAroundBytes = 12;  // of a chunk: length, name, checksum
constexpr std::size_t kMostAsideBytes = 1U << 20;
constexpr int kMostChunks = 10'000;
constexpr std::uint8_t kLastFilter = 4;
// Deflate with the whole window of 32 KiB: with less, a reference may reach too far for libpng.
constexpr std::byte kWholeWindow{0x78};

struct Chunk {
  std::string_view name;
  Bytes data;
};

std::uint32_t big_endian(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

// The chunk at the start of `rest`; nothing when it is cut short or its checksum is wrong.
std::optional<Chunk> chunk_at(Bytes rest) {
  if (rest.size() < kAroundBytes) return std::nullopt;
  const std::size_t length = big_endian(rest, 0);
  if (length > rest.size() - kAroundBytes) return std::nullopt;
  const Bytes named = rest.subspan(4, 4 + length);
  if (libdeflate_crc32(0, named.data(), named.size()) != big_endian(rest, 8 + length))
    return std::nullopt;
  return Chunk{{reinterpret_cast<const char*>(named.data()), 4}, named.subspan(4)};
}

// Left alone by a decoder, whatever it holds.
bool is_aside(const Chunk& chunk) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return std::all_of(chunk.name.begin(), chunk.name.end(), is_letter) &&
         (chunk.name[0] & 0x20) != 0 && chunk.name != "tRNS" &&
         chunk.data.size() <= kMostAsideBytes;
}

// Values of 8 bits a pixel; 0 = of another kind (palette, 16 bits, interlaced).
std::size_t channels_of(Bytes header) {
  constexpr std::array<std::size_t, 7> kChannels = {1, 0, 3, 0, 2, 0, 4};
  const auto at = [&](std::size_t i) { return std::to_integer<std::size_t>(header[i]); };
  if (header.size() != 13 || at(8) != 8 || at(9) >= kChannels.size()) return 0;
  return at(10) == 0 && at(11) == 0 && at(12) == 0 ? kChannels[at(9)] : 0;
}

// The compressed pixels of all chunks in one; nothing when the file is not as simple as that.
std::optional<std::vector<std::byte>> compressed_pixels(Bytes rest) {
  std::vector<std::byte> pixels;
  bool is_over = false;  // behind the last IDAT
  for (int count = 0; count < kMostChunks; ++count) {
    const auto chunk = chunk_at(rest);
    if (!chunk) return std::nullopt;
    rest = rest.subspan(kAroundBytes + chunk->data.size());
    if (chunk->name == "IEND")
      return chunk->data.empty() ? std::optional(std::move(pixels)) : std::nullopt;
    if (chunk->name == "IDAT") {
      if (is_over) return std::nullopt;
      pixels.insert(pixels.end(), chunk->data.begin(), chunk->data.end());
    } else {
      if (!is_aside(*chunk)) return std::nullopt;
      is_over = !pixels.empty();
    }
  }
  return std::nullopt;
}

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* one) const { libdeflate_free_decompressor(one); }
};

bool holds_rows(Bytes pixels, std::size_t row_bytes, std::size_t rows) {
  if (pixels.size() < 2 || pixels[0] != kWholeWindow) return false;
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> inflate(
      libdeflate_alloc_decompressor());
  const std::size_t bytes = row_bytes * rows;
  const std::unique_ptr<std::uint8_t[]> out(new std::uint8_t[bytes]);  // not cleared first
  if (inflate == nullptr ||
      libdeflate_zlib_decompress(inflate.get(), pixels.data(), pixels.size(), out.get(), bytes,
                                 nullptr) != LIBDEFLATE_SUCCESS)
    return false;
  for (std::size_t row = 0; row < rows; ++row)
    if (out[row * row_bytes] > kLastFilter) return false;
  return true;
}

}  // namespace

bool is_sound_png(Bytes encoded, const Info& info) {
  const auto header = chunk_at(encoded.subspan(kSignatureBytes));
  if (!header || header->name != "IHDR") return false;
  const std::size_t channels = channels_of(header->data);
  if (channels == 0) return false;
  const auto pixels =
      compressed_pixels(encoded.subspan(kSignatureBytes + kAroundBytes + header->data.size()));
  const auto width = static_cast<std::size_t>(info.width);
  return pixels && holds_rows(*pixels, 1 + width * channels, static_cast<std::size_t>(info.height));
}

}  // namespace evd::image
