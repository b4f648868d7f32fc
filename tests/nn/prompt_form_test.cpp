#include "nn/prompt_form.hpp"

#include <gtest/gtest.h>

namespace evd::nn {
namespace {

using Sides = std::pair<int, int>;

Sides sides_of(std::string_view prompt) {
  const auto sized = sized_prompt(prompt);
  return {sized.height, sized.width};
}

TEST(SizedPrompts, HeightComesFirst) {
  EXPECT_EQ(sides_of("a cat --ar 1:2"), Sides(1, 2));
  EXPECT_EQ(sides_of("a cat --hw 512:768"), Sides(512, 768));
  EXPECT_EQ(sides_of("a cat --aspect_ratio 16:9"), Sides(16, 9));
  EXPECT_EQ(sides_of("a cat"), Sides(0, 0));
}

TEST(SizedPrompts, LoseTheirEndAndTheSpaceBeforeIt) {
  EXPECT_EQ(sized_prompt("a cat,  on a mat \t --ar  1:2 \n").text, "a cat,  on a mat");
  EXPECT_EQ(sized_prompt("a  cat ").text, "a  cat ");  // as written
}

TEST(SizedPrompts, OfSeveralEndsTheFirstCounts) {
  EXPECT_EQ(sized_prompt("a cat --ar 1:2 --hw 512:512 --ar 3:4").text, "a cat");
  EXPECT_EQ(sides_of("a cat --ar 1:2 --hw 512:512 --ar 3:4"), Sides(1, 2));
}

TEST(SizedPrompts, WhatIsMalformedIsText) {
  for (const char* prompt :
       {"a cat --ar", "a cat --ar 1", "a cat --ar 1:", "a cat --ar :2", "a cat --ar 0:2",
        "a cat --ar 1:-2", "a cat --ar 1:2:3", "a cat --ar 1.5:2", "a cat --ar 100000:2",
        "a cat --ar1:2", "a cat --ar=1:2", "a cat--ar 1:2", "a cat -ar 1:2", "a cat --AR 1:2",
        "a cat --ar 1:2 on a mat", "--ar 1:2", "", "--ar", "1:2"}) {
    EXPECT_EQ(sized_prompt(prompt).text, prompt);
    EXPECT_EQ(sides_of(prompt), Sides(0, 0)) << prompt;
  }
  // Only the end is at fault.
  EXPECT_EQ(sized_prompt("a cat --ar 1:2 --hw 1").text, "a cat --ar 1:2 --hw 1");
  EXPECT_EQ(sized_prompt("a cat --hw 1 --ar 1:2").text, "a cat --hw 1");
}

TEST(ReadText, IsAsWrittenUnlessAskedOtherwise) {
  const std::string prompt = "A Cat  http://cats.com --ar 1:2";
  EXPECT_EQ(read_text(prompt, {}), prompt);
  EXPECT_EQ(read_text(prompt, {.size_suffixes = true}), "A Cat  http://cats.com");
  EXPECT_EQ(read_text(prompt, {.clean = true}), "a cat -ar 1:2");
  // The end goes first: cleaning would make one dash of its two.
  EXPECT_EQ(read_text(prompt, {.clean = true, .size_suffixes = true}), "a cat");
  EXPECT_EQ(read_text("", {.clean = true, .size_suffixes = true}), "");
}

}  // namespace
}  // namespace evd::nn
