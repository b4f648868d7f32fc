#include "teacher/errors.hpp"

#include <gtest/gtest.h>

namespace evd::teacher {
namespace {

using Next = Ending::Next;

Ending examine(int status, const std::string& body, const http::Response& more = {}) {
  http::Response response = more;
  response.status = status;
  response.body = body;
  return teacher::examine(Wire::openai_images, response, 0);
}

std::string error(const std::string& code, const std::string& type = "x") {
  return R"({"error":{"message":"m","type":")" + type + R"(","param":null,"code":")" + code +
         R"("}})";
}

TEST(Fault, IsReadInEveryShape) {
  EXPECT_EQ(parse_fault(error("moderation_blocked")).code, "moderation_blocked");
  // vLLM and llama.cpp: the status as a number.
  const auto vllm = parse_fault(
      R"({"error":{"message":"too long","type":"BadRequestError","param":null,"code":400}})");
  EXPECT_EQ(vllm.code, "400");
  EXPECT_EQ(vllm.type, "BadRequestError");
  EXPECT_EQ(parse_fault(R"({"error":"plain words"})").message, "plain words");
  EXPECT_EQ(parse_fault(R"({"detail":"Not Found"})").message, "Not Found");
  EXPECT_NE(parse_fault(R"({"detail":[{"msg":"field required"}]})").message.find("field required"),
            std::string::npos);
  EXPECT_EQ(parse_fault(R"({"object":"error","message":"old vLLM"})").message, "old vLLM");
  EXPECT_EQ(parse_fault(R"([{"error":{"message":"wrapped","code":"c"}}])").message, "wrapped");
  EXPECT_EQ(parse_fault("Bad\r\nGateway\x01").message, "Bad  Gateway ");
  EXPECT_EQ(parse_fault(std::string(1'000'000, 'x')).message.size(), 200U);
  EXPECT_EQ(parse_fault("").message, "");
  // So deep that printing it would take the stack.
  EXPECT_TRUE(
      parse_fault(R"({"detail":)" + std::string(30'000, '[') + std::string(30'000, ']') + "}")
          .message.starts_with(R"({"detail":[[)"));
}

TEST(Ending, RefusalsAreTold) {
  for (const auto& body :
       {error("moderation_blocked", "image_generation_user_error"),
        error("content_policy_violation"), error("x", "content_filter"),
        std::string(
            R"({"error":{"message":"blocked safety_violations=[violence].","code":null}})")})
    for (const int status : {400, 403, 422}) {
      const auto ending = examine(status, body);
      EXPECT_EQ(ending.next, Next::refused) << status << body;
      EXPECT_EQ(ending.charge, Charge::none);
    }
  EXPECT_EQ(examine(400, error("moderation_blocked")).reason, "moderation_blocked");
  EXPECT_EQ(examine(500, error("moderation_blocked")).next, Next::retry);
}

TEST(Ending, The429HasThreeMeanings) {
  EXPECT_EQ(examine(429, error("rate_limit_exceeded")).next, Next::throttled);
  EXPECT_EQ(examine(429, "").next, Next::throttled);
  for (const char* code : {"insufficient_quota", "credit_balance_exhausted", "quota_exceeded"}) {
    EXPECT_EQ(examine(429, error(code)).next, Next::give_up) << code;
    EXPECT_EQ(examine(429, error("x", code)).next, Next::give_up) << code;
  }
  EXPECT_EQ(examine(429, "", {.retry_after = "7"}).hint.seconds, 7);
}

// Hosts send these with whatever status: no prompt is at fault, so none may fail by them.
TEST(Ending, MoneyAndPaceAreToldByTheirWordsWhateverTheStatus) {
  for (const int status : {200, 400, 402, 403, 429}) {
    for (const char* code : {"billing_hard_limit_reached", "billing_not_active",
                             "insufficient_funds", "insufficient_quota"}) {
      const auto ending = examine(status, error(code));
      EXPECT_EQ(ending.next, Next::give_up) << status << code;
      EXPECT_EQ(ending.charge, Charge::none) << status << code;
      EXPECT_NE(ending.message.find("funds"), std::string::npos) << status << ending.message;
    }
    for (const char* code : {"rate_limit", "rate_limit_exceeded"}) {
      EXPECT_EQ(examine(status, error(code)).next, Next::throttled) << status << code;
      EXPECT_EQ(examine(status, error("x", code)).next, Next::throttled) << status << code;
    }
  }
  EXPECT_EQ(examine(400, error("rate_limit"), {.retry_after = "7"}).hint.seconds, 7);
  EXPECT_EQ(examine(200, error("server_error")).charge, Charge::unusable);
}

TEST(Ending, ByStatus) {
  for (const int status : {408, 425, 500, 502, 503, 504, 529, 409})
    EXPECT_EQ(examine(status, "").next, Next::retry) << status;
  EXPECT_EQ(examine(500, "").most, 3);
  EXPECT_EQ(examine(503, "").most, 0);
  for (const int status : {400, 413, 415, 422})
    EXPECT_EQ(examine(status, "").next, Next::failed) << status;
  for (const int status : {401, 402, 403, 404, 301, 307})
    EXPECT_EQ(examine(status, "").next, Next::give_up) << status;
  for (const int status : {400, 401, 429, 500, 503})
    EXPECT_EQ(examine(status, "").charge, Charge::none) << status;
  EXPECT_EQ(examine(502, "<html>bad gateway</html>").reason, "http_502");
}

TEST(Ending, TheServicesOwnWordOverridesTheTable) {
  EXPECT_EQ(examine(503, "", {.should_retry = "false"}).next, Next::failed);
  EXPECT_EQ(examine(400, "", {.should_retry = "true"}).next, Next::retry);
  EXPECT_EQ(examine(400, error("moderation_blocked"), {.should_retry = "true"}).next,
            Next::refused);
  EXPECT_EQ(examine(401, "", {.should_retry = "true"}).next, Next::give_up);
}

TEST(Ending, ReasonsAreWordsForTables) {
  EXPECT_EQ(examine(400, error("Some Strange; Code\\n")).reason, "http_400");
  EXPECT_EQ(examine(400, error(std::string(500, 'x'))).reason, "http_400");
  EXPECT_EQ(examine(400, error("400")).reason, "http_400");
  EXPECT_EQ(examine(400, error("invalid_value")).reason, "invalid_value");
}

TEST(Ending, Transfers) {
  EXPECT_EQ(ending_of_transfer({.fault = http::Fault::not_sent}).charge, Charge::none);
  EXPECT_EQ(ending_of_transfer({.fault = http::Fault::not_sent}).next, Next::retry);
  EXPECT_EQ(ending_of_transfer({.fault = http::Fault::no_answer}).charge, Charge::no_answer);
  EXPECT_EQ(ending_of_transfer({.fault = http::Fault::tls}).next, Next::give_up);
  EXPECT_EQ(ending_of_transfer({.fault = http::Fault::too_large}).next, Next::failed);
  EXPECT_EQ(ending_of_transfer({.fault = http::Fault::too_large}).charge, Charge::unusable);
}

}  // namespace
}  // namespace evd::teacher
