#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace evd {

/// Fixed-size binary identifier that people see as lower-case hex. `Tag` keeps kinds apart.
template <class Tag, std::size_t Bytes>
class HexId {
 public:
  static constexpr std::size_t kBytes = Bytes;
  static constexpr std::size_t kHexChars = 2 * Bytes;

  constexpr HexId() = default;
  constexpr explicit HexId(const std::array<std::uint8_t, Bytes>& bytes) : bytes_(bytes) {}

  /// Parses exactly kHexChars lower-case hex characters; DataError otherwise.
  [[nodiscard]] static HexId parse(std::string_view hex);

  [[nodiscard]] std::string hex() const;
  [[nodiscard]] const std::array<std::uint8_t, Bytes>& bytes() const { return bytes_; }
  /// True for the all-zero id, which stands for "none".
  [[nodiscard]] bool is_none() const { return *this == HexId{}; }
  /// The first eight bytes as a little-endian number: a counter for random numbers.
  [[nodiscard]] std::uint64_t low64() const;

  friend auto operator<=>(const HexId&, const HexId&) = default;

 private:
  std::array<std::uint8_t, Bytes> bytes_{};
};

using SampleId = HexId<struct SampleTag, 16>;      ///< a prompt in the set, from its text and size
using ImageId = HexId<struct ImageTag, 16>;        ///< a picture, from its request key and bytes
using PairId = HexId<struct PairTag, 16>;          ///< a decided comparison
using CampaignId = HexId<struct CampaignTag, 16>;  ///< drawn once by `evd init`
using Sha256 = HexId<struct Sha256Tag, 32>;        ///< content digest
using RequestKey = HexId<struct RequestTag, 32>;   ///< what was asked of whom; see teacher/key.hpp

/// Local helper of the parsers: the bytes of `hex`, or DataError naming `what`.
void parse_hex(std::string_view hex, std::string_view what, std::uint8_t* out, std::size_t bytes);
[[nodiscard]] std::string to_hex(const std::uint8_t* bytes, std::size_t count);

template <class Tag, std::size_t Bytes>
HexId<Tag, Bytes> HexId<Tag, Bytes>::parse(std::string_view hex) {
  std::array<std::uint8_t, Bytes> bytes{};
  parse_hex(hex, "identifier", bytes.data(), Bytes);
  return HexId(bytes);
}

template <class Tag, std::size_t Bytes>
std::string HexId<Tag, Bytes>::hex() const {
  return to_hex(bytes_.data(), Bytes);
}

template <class Tag, std::size_t Bytes>
std::uint64_t HexId<Tag, Bytes>::low64() const {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | bytes_[i];
  return value;
}

}  // namespace evd

template <class Tag, std::size_t Bytes>
struct std::hash<evd::HexId<Tag, Bytes>> {
  std::size_t operator()(const evd::HexId<Tag, Bytes>& id) const noexcept { return id.low64(); }
};
