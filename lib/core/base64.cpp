#include "core/base64.hpp"

#include <array>
#include <cstdint>

#include <openssl/evp.h>

#include "core/error.hpp"

namespace evd {
namespace {

constexpr std::uint32_t kBad = 0x01000000;  // above any value of 24 bits

// Value of each character, already shifted to its place in a group of four.
constexpr std::array<std::array<std::uint32_t, 256>, 4> make_tables() {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  for (auto& table : tables) table.fill(kBad);
  for (std::uint32_t value = 0; value < kAlphabet.size(); ++value)
    for (std::uint32_t place = 0; place < 4; ++place)
      tables[place][static_cast<unsigned char>(kAlphabet[value])] = value << (18 - 6 * place);
  return tables;
}
constexpr auto kTables = make_tables();

std::uint32_t lookup(std::size_t place, char c) {
  return kTables[place][static_cast<unsigned char>(c)];
}

}  // namespace

std::string base64(Bytes bytes) {
  // EVP_EncodeBlock counts in int and ends the text with a zero byte.
  if (bytes.size() > (1ULL << 30)) throw DataError("more than 1 GiB cannot be sent as base64");
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                      static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(written));
  return text;
}

std::optional<std::vector<std::byte>> decode_base64(std::string_view text) {
  if (text.size() % 4 == 0)
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  const std::size_t groups = text.size() / 4;
  const std::size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;
  std::vector<std::byte> bytes(3 * groups + (rest == 0 ? 0 : rest - 1));
  std::byte* out = bytes.data();
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < groups; ++i, out += 3) {
    const char* in = text.data() + 4 * i;
    const std::uint32_t value =
        lookup(0, in[0]) | lookup(1, in[1]) | lookup(2, in[2]) | lookup(3, in[3]);
    seen |= value;
    out[0] = static_cast<std::byte>(value >> 16);
    out[1] = static_cast<std::byte>(value >> 8);
    out[2] = static_cast<std::byte>(value);
  }
  if (rest > 1) {
    const char* in = text.data() + 4 * groups;
    const std::uint32_t value =
        lookup(0, in[0]) | lookup(1, in[1]) | (rest == 3 ? lookup(2, in[2]) : 0);
    seen |= value;
    out[0] = static_cast<std::byte>(value >> 16);
    if (rest == 3) out[1] = static_cast<std::byte>(value >> 8);
  }
  if ((seen & kBad) != 0) return std::nullopt;
  return bytes;
}

}  // namespace evd
