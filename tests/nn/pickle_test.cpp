#include "nn/pickle.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::nn {
namespace {

using namespace std::string_literals;

bool allow_os(const std::string& global) { return global == "os system"; }

std::string refusal(const std::string& bytes) {
  try {
    const Pickle pickle(as_bytes(bytes), "test", allow_os);
  } catch (const DataError& error) {
    return error.what();
  }
  return "it was read";
}

// Bytes of Python's pickle.dumps(..., protocol=2).
TEST(Pickle, Numbers) {
  const auto number = [](const std::string& bytes) {
    const Pickle pickle(as_bytes("\x80\x02"s + bytes + "."), "test", allow_os);
    return *pickle.root().as<std::int64_t>();
  };
  EXPECT_EQ(number("K\xff"), 255);
  EXPECT_EQ(number("M\xff\xff"), 65535);
  EXPECT_EQ(number("J\xfe\xff\xff\xff"), -2);
  EXPECT_EQ(number("\x8a\x05\x00\x00\x00\x00\x80"s), -549755813888);
  EXPECT_EQ(number("\x8a\x00"s), 0);
}

TEST(Pickle, ACallIsDescribedNotMade) {
  const Pickle pickle(as_bytes("\x80\x02"
                               "cos\nsystem\nX\x05\x00\x00\x00touch\x85R."s),
                      "test", allow_os);
  const auto* call = pickle.root().as<PickleNode::Call>();
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->function->as<PickleNode::Global>()->name, "os system");
}

TEST(Pickle, AListThatHoldsItselfEnds) {
  const Pickle pickle(as_bytes("\x80\x02]q\x00h\x00"
                               "a."s),
                      "test", allow_os);
  const auto* list = pickle.root().as<PickleNode::Sequence>();
  ASSERT_EQ(list->items.size(), 1U);
  EXPECT_EQ(list->items[0], &pickle.root());
}

TEST(Pickle, WhatIsDamagedIsNamed) {
  EXPECT_NE(refusal("").find("cut short"), std::string::npos);
  EXPECT_NE(refusal("\x80\x01.").find("protocol 1"), std::string::npos);
  EXPECT_NE(refusal("\x80\x02.").find("not there"), std::string::npos);
  EXPECT_NE(refusal("\x80\x02h\x07.").find("was not kept"), std::string::npos);
  EXPECT_NE(refusal("\x80\x02t.").find("mark is missing"), std::string::npos);
  EXPECT_NE(refusal("\x80\x02K\x01K\x02"
                    "a.")
                .find("no container"),
            std::string::npos);
  EXPECT_NE(refusal("\x80\x02X\xff\xff\xff\xff.").find("cut short"), std::string::npos);
  EXPECT_NE(refusal("\x80\x02i.").find("operation 105"), std::string::npos);
  EXPECT_NE(refusal("\x80\x02"
                    "cbuiltins\neval\n.")
                .find("names builtins eval"),
            std::string::npos);
}

}  // namespace
}  // namespace evd::nn
