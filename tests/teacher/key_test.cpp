#include "teacher/key.hpp"

#include <set>

#include <gtest/gtest.h>

namespace evd::teacher {
namespace {

const Request kRequest = {.service = "aurora",
                          .model = "aurora-1",
                          .prompt = "a red circle",
                          .width = 128,
                          .height = 96,
                          .parameters = "png low",
                          .sample_index = 0};

TEST(RequestKey, DependsOnEveryField) {
  std::set<RequestKey> keys = {request_key(kRequest)};
  for (int field = 0; field < 7; ++field) {
    Request other = kRequest;
    if (field == 0) other.service = "glyph";
    if (field == 1) other.model = "aurora-2";
    if (field == 2) other.prompt = "a red circle ";
    if (field == 3) other.width = 129;
    if (field == 4) other.height = 97;
    if (field == 5) other.parameters = "png high";
    if (field == 6) other.sample_index = 1;
    EXPECT_TRUE(keys.insert(request_key(other)).second) << field;
  }
}

TEST(RequestKey, FieldsDoNotRunTogether) {
  Request a = kRequest;
  Request b = kRequest;
  a.service = "ab";
  a.model = "c";
  b.service = "a";
  b.model = "bc";
  EXPECT_NE(request_key(a), request_key(b));
}

// Answers of old campaigns are found by it: it must never change.
TEST(RequestKey, StaysWhatItIs) {
  EXPECT_EQ(request_key(kRequest).hex(),
            "02675e0752380ac721b11b4fb4ec48d4b7c7d689a3e9e78aa7db0d53f811758c");
}

}  // namespace
}  // namespace evd::teacher
