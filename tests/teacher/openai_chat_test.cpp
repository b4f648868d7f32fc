#include "teacher/openai_chat.hpp"

#include <gtest/gtest.h>

namespace evd::teacher {
namespace {

using Next = Ending::Next;

Ending examine(const std::string& body) {
  return teacher::examine(Wire::openai_chat, {.status = 200, .body = body}, 0);
}

std::string text_of(const Ending& ending) {
  return {reinterpret_cast<const char*>(ending.content.payload.data()),
          ending.content.payload.size()};
}

TEST(ChatAnswer, ContentAndLogprobs) {
  const auto ending = examine(
      R"({"id":"x","model":"judge-1","choices":[{"index":0,"finish_reason":"stop","message":)"
      R"({"role":"assistant","content":"A","refusal":null},"logprobs":{"content":[{"token":"A",)"
      R"("logprob":-0.03}]}}],"usage":{}})");
  EXPECT_EQ(ending.next, Next::answered);
  EXPECT_EQ(ending.charge, Charge::paid);
  EXPECT_EQ(text_of(ending), "A");
  EXPECT_EQ(ending.content.model_echo, "judge-1");
  EXPECT_EQ(ending.content.logprobs_json, R"({"content":[{"logprob":-0.03,"token":"A"}]})");
  EXPECT_EQ(ending.reason, "");
}

TEST(ChatAnswer, PartsAreJoined) {
  EXPECT_EQ(text_of(examine(R"({"choices":[{"message":{"content":[{"type":"text","text":"a"},)"
                            R"({"type":"text","text":"b"}]}}]})")),
            "ab");
}

TEST(ChatAnswer, RefusalsAreNoFailures) {
  EXPECT_EQ(examine(R"({"choices":[{"finish_reason":"stop","message":{"content":null,)"
                    R"("refusal":"I cannot"}}]})")
                .next,
            Next::refused);
  const auto filtered =
      examine(R"({"choices":[{"finish_reason":"content_filter","message":{"content":""}}]})");
  EXPECT_EQ(filtered.next, Next::refused);
  EXPECT_EQ(filtered.reason, "content_filter");
}

TEST(ChatAnswer, CutByTheTokenLimitSaysSo) {
  const auto ending =
      examine(R"({"choices":[{"finish_reason":"length","message":{"content":"{\"win"}}]})");
  EXPECT_EQ(ending.next, Next::answered);
  EXPECT_EQ(ending.reason, "length");
}

// Copying or printing such a value once took the stack, and the process with it.
TEST(ChatAnswer, ADeeplyNestedAnswerIsUnusable) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  const std::string text = R"("message":{"content":"A"})";
  for (const std::string& body :
       {R"({"choices":[{)" + text + R"(,"logprobs":{"content":)" + deep + "}}]}",
        R"({"choices":[{"message":{"content":"A","more":)" + deep + "}}]}",
        R"({"choices":[{)" + text + R"(}],"error":)" + deep + "}"}) {
    const auto ending = examine(body);
    EXPECT_EQ(ending.next, Next::retry);
    EXPECT_EQ(ending.charge, Charge::unusable);
  }
}

TEST(ChatAnswer, ItsModelIsOneCleanLine) {
  EXPECT_EQ(examine(R"({"model":"x\u0000y\n","choices":[{"message":{"content":"A"}}]})")
                .content.model_echo,
            "x y ");
}

TEST(ChatAnswer, WhatIsNoReplyIsUnusable) {
  for (const char* body :
       {"", "<html>", "[]", "{}", R"({"choices":[]})", R"({"choices":[null]})",
        R"({"choices":[{}]})", R"({"choices":[{"message":null}]})",
        R"({"choices":[{"message":{"content":null}}]})", R"({"choices":{"0":1}})",
        R"({"choices":[{"message":{"content":"half)", R"({"error":{"message":"loading"}})"}) {
    const auto ending = examine(body);
    EXPECT_EQ(ending.next, Next::retry) << body;
    EXPECT_EQ(ending.charge, Charge::unusable) << body;
  }
}

}  // namespace
}  // namespace evd::teacher
