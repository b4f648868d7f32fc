#include "nn/caption_cleaning.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "nn/reference_run.hpp"

namespace evd::nn {
namespace {

using test::ReferenceRun;

std::vector<std::string> lines_of(const ReferenceRun& reference, const std::string& name) {
  const at::Tensor bytes = reference[name];
  const at::Tensor ends = reference[name + "_ends"];
  const auto* data = reinterpret_cast<const char*>(bytes.const_data_ptr<std::uint8_t>());
  std::vector<std::string> lines;
  std::int64_t from = 0;
  for (std::int64_t i = 0; i < ends.numel(); ++i) {
    const std::int64_t to = ends.const_data_ptr<std::int64_t>()[i];
    lines.emplace_back(data + from, static_cast<std::size_t>(to - from));
    from = to;
  }
  return lines;
}

// Web addresses, HTML, references, %XX, handles, numbers, sizes, file names, quotes, dashes and
// scripts among ordinary words.
TEST(CleanedCaptions, EqualDiffusersOnRandomCaptions) {
  const ReferenceRun reference("caption_reference.py",
                               {std::to_string(test::fresh_seed()), "4000"});
  const auto texts = lines_of(reference, "text");
  const auto wanted = lines_of(reference, "cleaned");
  const auto left_out = reference["left_out"].item<std::int64_t>();
  ASSERT_EQ(texts.size(), 4000U);
  std::size_t changed = 0;
  int failures = 0;
  for (std::size_t i = 0; i < texts.size() && failures < 20; ++i) {
    const std::string cleaned = cleaned_caption(texts[i]);
    EXPECT_EQ(cleaned, wanted[i]) << "of: " << testing::PrintToString(texts[i]);
    failures += cleaned != wanted[i] ? 1 : 0;
    changed += wanted[i] != texts[i] ? 1 : 0;
  }
  std::printf("%zu of %zu captions changed, %lld left out\n", changed, texts.size(),
              static_cast<long long>(left_out));
  EXPECT_GT(changed, texts.size() / 2);
  EXPECT_LT(left_out, 400);
}

TEST(CleanedCaptions, KeepWhatAPromptSays) {
  EXPECT_EQ(cleaned_caption("a red cat on a mat, oil painting"),
            "a red cat on a mat, oil painting");
  EXPECT_EQ(cleaned_caption("A Sign that says STOP"), "a sign that says stop");
  EXPECT_EQ(cleaned_caption(""), "");
  EXPECT_EQ(cleaned_caption(" \n "), "");
}

TEST(CleanedCaptions, LoseWhatIsNoCaption) {
  EXPECT_EQ(cleaned_caption("a cat https://www.example.com/cats?id=4 <b>free shipping</b>"),
            "a cat ?id=4");
  EXPECT_EQ(cleaned_caption("\xE2\x80\x9C"
                            "caf\xC3\xA9\xE2\x80\x9D \xE2\x80\x94 @someone 1234567"),
            "caf\xC3\xA9");
  EXPECT_EQ(cleaned_caption("poster 30x40 cm IMG_1234.jpg"), "poster cm");
}

// White space that another rule leaves at the ends goes before frames are looked at.
TEST(CleanedCaptions, AreStrippedWhereTheAuthorsStripThem) {
  EXPECT_EQ(cleaned_caption("[\"a cat\"]"), "a cat");
}

TEST(CleanedCaptions, AreUtf8WhateverTheBytes) {
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_TRUE(is_utf8(cleaned_caption(bytes)));
  EXPECT_EQ(cleaned_caption("cat \xE4\xB8 dog \xFF"), "cat \xEF\xBF\xBD dog \xEF\xBF\xBD");
  EXPECT_EQ(cleaned_caption("cat \xF0\x9F\x90\x88"), "cat \xF0\x9F\x90\x88");
}

// Rules that look ahead from every place.
TEST(CleanedCaptions, OfTheLongestPromptsAreThere) {
  for (const std::string part :
       {"a.", "<", "<a ", "<a='", "&", "a-", ".com/", "9", "a1", "\" ", "free "}) {
    std::string text;
    while (text.size() < 32'000) text += part;
    EXPECT_LE(cleaned_caption(text).size(), 2 * text.size()) << part;
  }
}

}  // namespace
}  // namespace evd::nn
