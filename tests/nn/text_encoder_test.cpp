#include "nn/text_encoder.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace evd::nn {
namespace {

TEST(Words, AreLowerCaseRunsWithoutPunctuation) {
  EXPECT_EQ(words_of("A red-blue CAT, \"2 dogs\"!"),
            (std::vector<std::string>{"a", "red", "blue", "cat", "2", "dogs"}));
  EXPECT_TRUE(words_of(" ,;!").empty());
  EXPECT_EQ(words_of("gr\xc3\xbcn"), std::vector<std::string>{"gr\xc3\xbcn"});
}

TEST(TextEncoder, EqualTextsGiveEqualStates) {
  TextEncoder a(64, 12);
  TextEncoder b(64, 12);
  static_cast<void>(b.encode("other words first"));
  EXPECT_EQ(a.encode("two red circles").values, b.encode("Two  red, circles.").values);
  EXPECT_EQ(a.encode("two red circles").tokens, 3);
}

TEST(TextEncoder, OrderIsSeen) {
  TextEncoder encoder(64, 12);
  const auto first = encoder.encode("red left blue").values;
  const auto second = encoder.encode("blue left red").values;
  EXPECT_NE(std::vector(first.begin(), first.begin() + 64),
            std::vector(second.begin() + 128, second.end()));
}

TEST(TextEncoder, VectorsHaveUnitVarianceAndWordsAreFarApart) {
  TextEncoder encoder(512, 2);
  const auto red = encoder.encode("red").values;
  const auto blue = encoder.encode("blue").values;
  double square = 0;
  double product = 0;
  for (std::size_t i = 0; i < red.size(); ++i) {
    square += double{red[i]} * double{red[i]};
    product += double{red[i]} * double{blue[i]};
  }
  EXPECT_NEAR(square / 512, 1.125, 0.25);  // the word's 1 and the place's 0.125
  EXPECT_LT(std::abs(product / 512 - 0.125), 0.2);
}

TEST(TextEncoder, LongTextsAreCutAndEmptyOnesHaveAToken) {
  TextEncoder encoder(8, 3);
  EXPECT_EQ(encoder.encode("a b c d e").tokens, 3);
  EXPECT_EQ(encoder.encode("a b c d e").values, encoder.encode("a b c").values);
  EXPECT_EQ(encoder.encode("").tokens, 1);
  EXPECT_EQ(encoder.encode("?").values, encoder.encode("").values);
}

}  // namespace
}  // namespace evd::nn
