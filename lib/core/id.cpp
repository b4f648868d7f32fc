#include "core/id.hpp"

#include "core/error.hpp"

namespace evd {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void parse_hex(std::string_view hex, std::string_view what, std::uint8_t* out, std::size_t bytes) {
  const auto fail = [&] {
    throw DataError(std::string(what) + " is not " + std::to_string(2 * bytes) +
                    " lower-case hex characters");
  };
  if (hex.size() != 2 * bytes) fail();
  for (std::size_t i = 0; i < bytes; ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) fail();
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
}

std::string to_hex(const std::uint8_t* bytes, std::size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(2 * count, '0');
  for (std::size_t i = 0; i < count; ++i) {
    text[2 * i] = kDigits[bytes[i] >> 4];
    text[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace evd
