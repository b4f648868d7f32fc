#include "core/text.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evd {
namespace {

constexpr std::size_t kMax = 1000;

std::optional<PromptFault> fault(std::string_view raw) { return check_prompt(raw, kMax).fault; }
std::string taken(std::string_view raw) {
  const auto checked = check_prompt(raw, kMax);
  EXPECT_FALSE(checked.fault) << raw;
  return checked.text;
}

TEST(Utf8, RefusesWhatTheStandardRefuses) {
  EXPECT_TRUE(is_utf8("plain, caf\xc3\xa9, \xf0\x9f\x90\xb1"));
  EXPECT_TRUE(is_utf8(""));
  for (const std::string_view bad :
       {"\xff", "\xc3", "a\x80", "\xc0\xaf" /* overlong */, "\xe0\x80\xaf" /* overlong */,
        "\xed\xa0\x80" /* surrogate */, "\xf4\x90\x80\x80" /* above 10ffff */, "\xe2\x82"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Utf8, CountsCodePointsNotBytes) {
  EXPECT_EQ(code_points("caf\xc3\xa9"), 4U);
  EXPECT_EQ(code_points("\xf0\x9f\x90\xb1\xf0\x9f\x90\xb1"), 2U);
}

TEST(CanonicalPrompt, FoldsWhiteSpaceOfEveryKind) {
  EXPECT_EQ(canonical_prompt("  two \t red\r\n  circles  "), "two red circles");
  EXPECT_EQ(canonical_prompt("a\xc2\xa0\xe2\x80\x83\xe3\x80\x80z"),
            "a z");  // NBSP, em, ideographic
}

TEST(CanonicalPrompt, ComposesSoThatEqualLooksAreEqual) {
  EXPECT_EQ(canonical_prompt("cafe\xcc\x81"), "caf\xc3\xa9");
  EXPECT_EQ(canonical_prompt("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), "\xed\x95\x9c");  // Hangul
  EXPECT_EQ(canonical_prompt("The WORD"), "The WORD") << "case is part of a prompt";
}

TEST(CanonicalPrompt, IsIdempotent) {
  for (const std::string_view text :
       {" a  b ", "cafe\xcc\x81 noir", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "e\xcc\xa3\xcc\x81"}) {
    const std::string once = canonical_prompt(text);
    EXPECT_EQ(canonical_prompt(once), once);
  }
}

TEST(CheckPrompt, TakesEmojiAndRightToLeftText) {
  const std::string family = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7";  // with a joiner
  EXPECT_EQ(taken(" " + family + " waving "), family + " waving");
  EXPECT_EQ(taken("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"), "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
  EXPECT_EQ(taken("\xd9\x82\xd8\xb7\xd8\xa9 cat"), "\xd9\x82\xd8\xb7\xd8\xa9 cat");
}

TEST(CheckPrompt, RefusesControlCharacters) {
  EXPECT_EQ(fault(std::string_view("a\0b", 3)), PromptFault::control_character);
  EXPECT_EQ(fault("a\x1b[31mb"), PromptFault::control_character);
  EXPECT_EQ(fault("a\x7f"), PromptFault::control_character);
  EXPECT_EQ(fault("a\xc2\x9b"), PromptFault::control_character);  // C1
}

TEST(CheckPrompt, RefusesBidirectionalOverridesAndIsolates) {
  for (const std::string_view sign :
       {"\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9"})
    EXPECT_EQ(fault(std::string("a") + std::string(sign) + "b"), PromptFault::control_character);
}

TEST(CheckPrompt, RefusesBlankLines) {
  EXPECT_EQ(fault(""), PromptFault::blank);
  EXPECT_EQ(fault(" \t \xc2\xa0 "), PromptFault::blank);
}

TEST(CheckPrompt, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(fault("caf\xe9"), PromptFault::not_utf8);
  EXPECT_EQ(fault("\x1b\xff"), PromptFault::not_utf8) << "said before anything else";
}

TEST(CheckPrompt, LengthCountsCodePointsOfTheCanonicalForm) {
  std::string ten_thousand(10'000, 'x');
  EXPECT_EQ(fault(ten_thousand), PromptFault::too_long);
  EXPECT_EQ(check_prompt(ten_thousand, 10'000).text.size(), 10'000U);
  std::string cats;
  for (int i = 0; i < 1000; ++i) cats += "\xf0\x9f\x90\xb1";
  EXPECT_FALSE(fault(cats));
  EXPECT_EQ(fault(cats + "!"), PromptFault::too_long);
  EXPECT_FALSE(fault("  " + std::string(1000, 'x') + "  ")) << "folded space does not count";
}

TEST(Nearest, FindsASlipAndLeavesStrangersAlone) {
  const std::vector<std::string> keys = {"train.lr", "train.steps_per_round", "set.start_samples"};
  EXPECT_EQ(nearest("train.steps_per_rond", keys), "train.steps_per_round");
  EXPECT_EQ(nearest("trian.lr", keys), "train.lr");
  EXPECT_EQ(nearest("train.lr", keys), "train.lr");
  EXPECT_EQ(nearest("budget", keys), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
}

TEST(Join, UndoesSplit) {
  EXPECT_EQ(join(split("a,,b,", ','), ","), "a,,b,");
  EXPECT_EQ(join({}, ","), "");
}

TEST(Trim, TakesBothEnds) {
  EXPECT_EQ(trim(" \t a b \n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
}

TEST(LowerAscii, LeavesOtherLettersAlone) {
  EXPECT_EQ(lower_ascii("ABC \xc3\x89"), "abc \xc3\x89");
}

TEST(HumanBytes, ChangesUnitBeforeFourDigits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1200), "1.2 kB");
  EXPECT_EQ(human_bytes(340'000), "340 kB");
  EXPECT_EQ(human_bytes(999'600), "1.0 MB");
  EXPECT_EQ(human_bytes(1.2e9), "1.2 GB");
}

TEST(HumanUsd, ShowsSmallPricesExactly) {
  EXPECT_EQ(human_usd(1'234'500), "$1.2345");
  EXPECT_EQ(human_usd(0), "$0.0000");
  EXPECT_EQ(human_usd(12'345'678), "$12.35");
}

TEST(Format, GrowsWithTheText) {
  EXPECT_EQ(format("%d %s", 7, std::string(5000, 'x').c_str()), "7 " + std::string(5000, 'x'));
}

TEST(ShellWord, IsReadBackByAShell) {
  EXPECT_EQ(shell_word("/a/plain-path_1.0@x"), "/a/plain-path_1.0@x");
  EXPECT_EQ(shell_word("my campaign"), "'my campaign'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace evd
