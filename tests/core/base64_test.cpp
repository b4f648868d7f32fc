#include "core/base64.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace evd {
namespace {

std::string text_of(const std::optional<std::vector<std::byte>>& bytes) {
  if (!bytes) return "refused";
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

// RFC 4648 section 10.
TEST(Base64, KnownAnswers) {
  EXPECT_EQ(text_of(decode_base64("")), "");
  EXPECT_EQ(text_of(decode_base64("Zg==")), "f");
  EXPECT_EQ(text_of(decode_base64("Zm8=")), "fo");
  EXPECT_EQ(text_of(decode_base64("Zm9v")), "foo");
  EXPECT_EQ(text_of(decode_base64("Zm9vYg==")), "foob");
  EXPECT_EQ(text_of(decode_base64("Zm9vYmE=")), "fooba");
  EXPECT_EQ(text_of(decode_base64("Zm9vYmFy")), "foobar");
  EXPECT_EQ(text_of(decode_base64("Zm9vYmE")), "fooba") << "padding may be left out";
}

TEST(Base64, UndoesTheEncoderAtEveryLength) {
  Random random(1, Purpose::test);
  for (std::size_t length = 0; length < 700; ++length) {
    std::vector<std::byte> bytes(length);
    for (auto& b : bytes) b = static_cast<std::byte>(random.below(256));
    EXPECT_EQ(decode_base64(base64(bytes)), bytes) << length;
  }
}

// Long enough for the wide path: each wrong character, at each place of a block and behind it.
TEST(Base64, RefusesOneWrongCharacterInALongText) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string good;
  while (good.size() < 256) good += alphabet;
  ASSERT_TRUE(decode_base64(good));
  for (std::size_t at = 0; at < good.size(); at += at < 40 ? 1 : 37)
    for (int c = 0; c < 256; ++c) {
      if (alphabet.find(static_cast<char>(c)) != std::string::npos) continue;
      std::string text = good;
      text[at] = static_cast<char>(c);
      EXPECT_FALSE(decode_base64(text)) << at << " " << c;
    }
}

TEST(Base64, RefusesEveryOtherCharacterAnywhere) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string good = "QUJDREVGR0g";  // a rest of three characters at the end
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int c = 0; c < 256; ++c) {
      if (alphabet.find(static_cast<char>(c)) != std::string::npos) continue;
      std::string text = good;
      text[at] = static_cast<char>(c);
      EXPECT_FALSE(decode_base64(text)) << at << " " << c;
    }
  for (const char* text : {"A", "QUJDR", "=", "====", "Zg===", "Z===", "Zm=v"})
    EXPECT_FALSE(decode_base64(text)) << text;
}

}  // namespace
}  // namespace evd
