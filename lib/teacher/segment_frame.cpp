#include "teacher/segment_frame.hpp"

#include <bit>
#include <cstring>

namespace evd::teacher {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are little-endian");

template <class T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <class T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

std::array<std::byte, kFrameBytes> to_bytes(const Frame& frame) {
  std::array<std::byte, kFrameBytes> bytes{};
  put(bytes.data(), kFrameMagic);
  put(bytes.data() + 4, frame.type);
  put(bytes.data() + 8, frame.header_bytes);
  put(bytes.data() + 16, frame.payload_bytes);
  put(bytes.data() + 24, frame.header_xxh3);
  put(bytes.data() + 32, frame.payload_xxh3);
  put(bytes.data() + 40, xxh3_64(Bytes(bytes).first(40)));
  return bytes;
}

std::optional<Frame> parse_frame(Bytes bytes) {
  if (bytes.size() < kFrameBytes) return std::nullopt;
  if (get<std::uint32_t>(bytes.data()) != kFrameMagic) return std::nullopt;
  if (get<std::uint64_t>(bytes.data() + 40) != xxh3_64(bytes.first(40))) return std::nullopt;
  const Frame frame{.type = get<std::uint32_t>(bytes.data() + 4),
                    .header_bytes = get<std::uint64_t>(bytes.data() + 8),
                    .payload_bytes = get<std::uint64_t>(bytes.data() + 16),
                    .header_xxh3 = get<std::uint64_t>(bytes.data() + 24),
                    .payload_xxh3 = get<std::uint64_t>(bytes.data() + 32)};
  if (frame.header_bytes > kMaxHeaderBytes || frame.payload_bytes > kMaxPayloadBytes)
    return std::nullopt;
  return frame;
}

}  // namespace evd::teacher
