#include "nn/tokenizer.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "nn/reference_run.hpp"

namespace evd::nn {
namespace {

using test::ReferenceRun;

constexpr int kNoLimit = std::numeric_limits<int>::max();

std::string refusal(const std::filesystem::path& path) {
  try {
    const Tokenizer tokenizer(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

class Tokens : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    reference_ = std::make_unique<ReferenceRun>(
        "tokenizer_reference.py",
        std::vector<std::string>{std::to_string(test::fresh_seed()), "10000"});
    tokenizer_ = std::make_unique<Tokenizer>(reference_->file("spiece.model"));
  }
  static void TearDownTestSuite() {
    tokenizer_.reset();
    reference_.reset();
  }
  static std::vector<int> encode(std::string_view text) {
    return tokenizer_->encode(text, kNoLimit);
  }

  static std::unique_ptr<ReferenceRun> reference_;
  static std::unique_ptr<Tokenizer> tokenizer_;
};
std::unique_ptr<ReferenceRun> Tokens::reference_;
std::unique_ptr<Tokenizer> Tokens::tokenizer_;

// Many scripts, white space, NUL, control tokens written out, and bytes that are no UTF-8.
TEST_F(Tokens, EqualSentencePieceOnTenThousandStrings) {
  const at::Tensor text = (*reference_)["text"];
  const at::Tensor text_ends = (*reference_)["text_ends"];
  const at::Tensor ids = (*reference_)["ids"];
  const at::Tensor id_ends = (*reference_)["id_ends"];
  ASSERT_EQ(text_ends.numel(), 10000);
  ASSERT_GT(ids.numel(), 100000);
  const auto* bytes = reinterpret_cast<const char*>(text.const_data_ptr<std::uint8_t>());
  std::int64_t from = 0;
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < text_ends.numel(); ++i) {
    const std::int64_t to = text_ends.const_data_ptr<std::int64_t>()[i];
    const std::int64_t last = id_ends.const_data_ptr<std::int64_t>()[i];
    std::vector<int> wanted(ids.const_data_ptr<std::int64_t>() + first,
                            ids.const_data_ptr<std::int64_t>() + last);
    wanted.push_back(1);
    ASSERT_EQ(encode({bytes + from, static_cast<std::size_t>(to - from)}), wanted) << "text " << i;
    from = to;
    first = last;
  }
}

TEST_F(Tokens, DifferFromTransformersInNamedWaysOnly) {
  std::ifstream file(reference_->file("agreement.txt"));
  for (std::string line; std::getline(file, line);) std::printf("%s\n", line.c_str());
  EXPECT_EQ((*reference_)["unexplained"].item<std::int64_t>(), 0);
  EXPECT_GT((*reference_)["ordinary_equal"].item<std::int64_t>(), 3000);
}

TEST_F(Tokens, AnEmptyTextIsItsEnd) {
  EXPECT_EQ(tokenizer_->eos(), 1);
  EXPECT_EQ(encode(""), (std::vector<int>{1}));
  EXPECT_EQ(encode(" \n"), (std::vector<int>{1}));
}

TEST_F(Tokens, AControlTokenWrittenOutIsText) {
  for (const char* text : {"</s>", "<pad>", "<extra_id_0>", "<unk>", "a </s> b", "a<pad>b"}) {
    const auto ids = encode(text);
    ASSERT_GT(ids.size(), 2U) << text;
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 1), 1) << text;
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 0), 0) << text;
    EXPECT_EQ(ids.back(), 1) << text;
    EXPECT_LT(*std::max_element(ids.begin(), ids.end()), tokenizer_->vocab()) << text;
  }
}

TEST_F(Tokens, ALongTextIsCutBeforeItsEnd) {
  std::string text;
  while (text.size() < 100'000) text += "abcdefg hijk ";
  const auto all = encode(text);
  ASSERT_GT(all.size(), 10'000U);
  for (const int most : {1, 2, 120}) {
    auto wanted = std::vector<int>(all.begin(), all.begin() + most - 1);
    wanted.push_back(1);
    EXPECT_EQ(tokenizer_->encode(text, most), wanted);
  }
  // One that just fits is not cut.
  EXPECT_EQ(tokenizer_->encode(text, static_cast<int>(all.size())), all);
  EXPECT_NE(tokenizer_->encode(text, static_cast<int>(all.size()) - 1), all);
  EXPECT_GT(encode(std::string(100'000, 'q')).size(), 2U);  // one word
}

TEST_F(Tokens, BytesThatAreNoTextAreTaken) {
  const std::string nul("ab\0cd", 5);
  EXPECT_EQ(encode(nul).back(), 1);
  const auto broken = encode("\xff\xfe");
  EXPECT_EQ(std::count(broken.begin(), broken.end(), 2), 1);  // unknown
  EXPECT_EQ(encode("\xe4\xb8").back(), 1);                    // a character cut short
}

TEST_F(Tokens, AModelUnlikeT5sIsRefused) {
  const auto told = [&](const char* name) { return refusal(reference_->file(name)); };
  EXPECT_NE(told("sentinels.model").find("takes <extra_id_0> in a text for one token"),
            std::string::npos);
  EXPECT_NE(told("endless.model").find("has no end token"), std::string::npos);
  EXPECT_NE(told("identity.model").find("does not normalise"), std::string::npos);
  EXPECT_EQ(told("spiece.model"), "no error");
}

TEST_F(Tokens, AFileThatIsNoModelIsRefused) {
  const evd::test::TempDir folder;
  const auto path = folder / "spiece.model";
  const std::string model = fs::read_text(reference_->file("spiece.model"));
  evd::test::write_file(path, "no model");
  EXPECT_NE(refusal(path).find(path.string() + ": no SentencePiece model ("), std::string::npos)
      << refusal(path);
  evd::test::write_file(path, "");
  EXPECT_NE(refusal(path).find("no SentencePiece model"), std::string::npos) << refusal(path);
  // A model cut between two fields loads, without the part that makes one text of several forms.
  for (std::size_t size = 1; size + 64 < model.size(); size += size < 20'000 ? 61 : 4999) {
    evd::test::write_file(path, model.substr(0, size));
    ASSERT_NE(refusal(path).find(path.string()), std::string::npos) << size;
  }
  EXPECT_EQ(tokenizer_->digest(), fs::sha256_file(reference_->file("spiece.model")));
}

}  // namespace
}  // namespace evd::nn
