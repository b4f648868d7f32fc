#include "nn/prompt_form.hpp"

#include <gtest/gtest.h>

namespace evd::nn {
namespace {

TEST(ReadText, IsAsWrittenUnlessAskedOtherwise) {
  const std::string prompt = "A Cat  http://cats.com";
  EXPECT_EQ(read_text(prompt, {}), prompt);
  EXPECT_EQ(read_text(prompt, {.clean = true}), "a cat");
  EXPECT_EQ(read_text("", {.clean = true}), "");
}

}  // namespace
}  // namespace evd::nn
