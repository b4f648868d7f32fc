#include "core/id.hpp"

#include <string>
#include <unordered_set>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace evd {
namespace {

const std::string kHex = "00112233445566778899aabbccddeeff";

TEST(HexId, ParsesWhatItPrints) {
  const auto id = SampleId::parse(kHex);
  EXPECT_EQ(id.hex(), kHex);
  EXPECT_EQ(id.bytes()[1], 0x11);
  EXPECT_EQ(id.low64(), 0x7766554433221100U);
}

TEST(HexId, RefusesEverythingElse) {
  for (const std::string& bad :
       {std::string(), kHex.substr(1), kHex + "0", std::string(32, 'g'),
        std::string("00112233445566778899AABBCCDDEEFF"), std::string("0x") + kHex.substr(2),
        std::string(31, '0') + "\xff", std::string(31, '0') + '\0'})
    EXPECT_THROW((void)SampleId::parse(bad), DataError) << bad;
}

TEST(HexId, TheMessageSaysWhatWasWanted) {
  try {
    (void)Sha256::parse("abc");
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "identifier is not 64 lower-case hex characters");
  }
}

TEST(HexId, NoneIsAllZeros) {
  EXPECT_TRUE(SampleId().is_none());
  EXPECT_FALSE(SampleId::parse(kHex).is_none());
}

TEST(HexId, SortsAsItsHexText) {
  const auto a = truncated<SampleId>(sha256("a"));
  const auto b = truncated<SampleId>(sha256("b"));
  EXPECT_EQ(a < b, a.hex() < b.hex());
}

TEST(HexId, HashesApart) {
  std::unordered_set<SampleId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(truncated<SampleId>(sha256(std::to_string(i))));
  EXPECT_EQ(ids.size(), 1000U);
}

}  // namespace
}  // namespace evd
