#include "core/hash.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/xxh3_stream.hpp"

namespace evd {
namespace {

// FIPS 180-4 examples.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
  Sha256Stream stream;
  EXPECT_EQ(stream.update("ab").update("").update("c").finish(), sha256("abc"));
  EXPECT_EQ(stream.update("abc").finish(), sha256("abc")) << "a stream starts anew after finish";
}

TEST(Sha256, FieldsDoNotRunTogether) {
  EXPECT_NE(Sha256Stream().field("ab").field("c").finish(),
            Sha256Stream().field("a").field("bc").finish());
  EXPECT_NE(Sha256Stream().field("").field("a").finish(),
            Sha256Stream().field("a").field("").finish());
  // u64 little-endian, whatever the machine.
  EXPECT_EQ(Sha256Stream().field(0x0102).finish(),
            sha256(std::string_view("\x02\x01\0\0\0\0\0\0", 8)));
}

TEST(Sha256, TruncatedKeepsTheFirstBytes) {
  EXPECT_EQ(truncated<SampleId>(sha256("abc")).hex(), "ba7816bf8f01cfea414140de5dae2223");
}

// Computed with python-xxhash (another binding of the reference implementation).
TEST(Xxh3, KnownAnswers) {
  EXPECT_EQ(xxh3_64(as_bytes("")), 0x2d06800538d394c2U);
  EXPECT_EQ(xxh3_64(as_bytes("a")), 0xe6c632b61e964e1fU);
  EXPECT_EQ(xxh3_64(as_bytes("abc")), 0x78af5f94892f3950U);
  std::string long_text;
  for (int i = 0; i < 5 * 256; ++i) long_text += static_cast<char>(i);
  EXPECT_EQ(xxh3_64(as_bytes(long_text)), 0x4844b009e164352eU);
}

TEST(Xxh3, PiecesGiveWhatTheWholeGives) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * i);
  for (const std::size_t size : {1U, 240U, 256U, 1024U, 4999U, 5000U}) {
    Xxh3Stream stream;
    for (std::size_t done = 0; done < text.size(); done += size)
      stream.update(as_bytes(std::string_view(text).substr(done, size)));
    EXPECT_EQ(stream.value(), xxh3_64(as_bytes(text))) << "pieces of " << size;
  }
  EXPECT_EQ(Xxh3Stream().value(), xxh3_64({}));
}

}  // namespace
}  // namespace evd
