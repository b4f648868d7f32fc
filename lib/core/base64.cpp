#include "core/base64.hpp"

#include <array>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
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

#if defined(__x86_64__)
// Decodes whole groups while a store of 32 bytes fits, 32 characters to 24 bytes at a time; returns
// the characters done. Muła and Lemire, "Faster Base64 Encoding and Decoding using AVX2
// Instructions" (2018). Stops at a wrong character: the table below finds it again.
__attribute__((target("avx2"))) std::size_t decode_avx2(std::string_view text, std::byte* out,
                                                        std::size_t out_bytes) {
  // A character is wrong when the bits of its two halves' classes meet.
  const __m256i low_class =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                                0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A));
  const __m256i high_class =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
                                                0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10));
  // From character to value, by its upper half; '/' has the place before that of '+'.
  const __m256i shift = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i order = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
  const __m256i half = _mm256_set1_epi8(0x0F);
  const __m256i slash = _mm256_set1_epi8('/');
  std::size_t done = 0;
  for (std::size_t written = 0; done + 32 <= text.size() && written + 32 <= out_bytes;
       done += 32, written += 24) {
    const __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(text.data() + done));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi32(in, 4), half);
    const __m256i wrong =
        _mm256_and_si256(_mm256_shuffle_epi8(low_class, _mm256_and_si256(in, half)),
                         _mm256_shuffle_epi8(high_class, high));
    if (_mm256_testz_si256(wrong, wrong) == 0) break;
    const __m256i place = _mm256_add_epi8(_mm256_cmpeq_epi8(in, slash), high);
    const __m256i values = _mm256_add_epi8(in, _mm256_shuffle_epi8(shift, place));
    const __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
    const __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    const __m256i packed = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, order),
                                                       _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(out + written), packed);
  }
  return done;
}

std::size_t decode_wide(std::string_view text, std::byte* out, std::size_t out_bytes) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  return has_avx2 ? decode_avx2(text, out, out_bytes) : 0;
}
#else
std::size_t decode_wide(std::string_view, std::byte*, std::size_t) { return 0; }
#endif

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
  const std::size_t done = decode_wide(text, bytes.data(), bytes.size()) / 4;
  std::byte* out = bytes.data() + 3 * done;
  std::uint32_t seen = 0;
  for (std::size_t i = done; i < groups; ++i, out += 3) {
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
