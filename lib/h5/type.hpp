#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "h5/handle.hpp"

namespace evd::h5 {

/// A datatype. All are little-endian, so the files are the same from every machine.
class Type {
 public:
  static Type i32();
  static Type i64();
  static Type u8();
  static Type u64();
  static Type f32();
  static Type f64();
  /// Fixed length, padded with zero bytes.
  static Type ascii(std::size_t bytes);
  static Type utf8(std::size_t bytes);
  static Type utf8_variable();
  /// uint8 with the values 0, 1, 2, ... called `names`.
  static Type enumeration(std::span<const std::string_view> names);
  /// Takes over an identifier that HDF5 gave out.
  static Type adopt(std::int64_t id, const Place& place);

  [[nodiscard]] std::int64_t id() const { return handle_.id(); }
  /// Bytes of one element in memory.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] bool operator==(const Type& other) const;
  /// Bytes of a fixed-length text; nothing for other types.
  [[nodiscard]] std::optional<std::size_t> fixed_text_bytes() const;
  [[nodiscard]] bool is_variable() const;
  /// "int32", "text of 32 bytes", "enum of uint8 (train, heldout)": for messages and FORMAT.md.
  [[nodiscard]] std::string describe() const;

 private:
  explicit Type(Handle handle) : handle_(std::move(handle)) {}
  Handle handle_;
};

}  // namespace evd::h5
