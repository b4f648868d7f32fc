#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/id.hpp"

namespace evd {

using Bytes = std::span<const std::byte>;

/// The bytes of a text, without its end mark.
[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Incremental SHA-256 (OpenSSL). Fields are separated by their lengths, so that ("ab","c") and
/// ("a","bc") differ: use `field` for composed keys and `update` for raw content.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;

  Sha256Stream& update(Bytes bytes);
  Sha256Stream& update(std::string_view text) { return update(as_bytes(text)); }
  /// Length (u64 little-endian) followed by the bytes.
  Sha256Stream& field(std::string_view text);
  Sha256Stream& field(std::uint64_t number);
  /// The digest of everything so far; the stream starts anew afterwards.
  [[nodiscard]] Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] Sha256 sha256(Bytes bytes);
[[nodiscard]] inline Sha256 sha256(std::string_view text) { return sha256(as_bytes(text)); }

/// The first bytes of a digest as a shorter id.
template <class Id>
[[nodiscard]] Id truncated(const Sha256& digest) {
  std::array<std::uint8_t, Id::kBytes> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = digest.bytes()[i];
  return Id(bytes);
}

/// xxHash3, 64 bits: the checksum of every payload that a shard holds.
[[nodiscard]] std::uint64_t xxh3_64(Bytes bytes);

}  // namespace evd
