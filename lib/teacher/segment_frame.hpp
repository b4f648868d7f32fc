#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/hash.hpp"

namespace evd::teacher {

constexpr std::string_view kSegmentMagic = "EVDCALL2";
constexpr std::uint32_t kFrameMagic = 0x4c444556;
constexpr std::size_t kFrameBytes = 48;
/// Larger lengths are damage, whatever the checksum says.
constexpr std::uint64_t kMaxHeaderBytes = 16 << 20;
constexpr std::uint64_t kMaxPayloadBytes = 1ULL << 32;

/// The fixed part in front of each record; layout in segment.hpp.
struct Frame {
  std::uint32_t type = 0;
  std::uint64_t header_bytes = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t header_xxh3 = 0;
  std::uint64_t payload_xxh3 = 0;

  [[nodiscard]] std::uint64_t record_bytes() const {
    return kFrameBytes + header_bytes + payload_bytes;
  }
};

[[nodiscard]] std::array<std::byte, kFrameBytes> to_bytes(const Frame& frame);
/// Nothing when magic, checksum or lengths are wrong.
[[nodiscard]] std::optional<Frame> parse_frame(Bytes bytes);

}  // namespace evd::teacher
