#include "rehearsal/wire.hpp"

#include <nlohmann/json.hpp>

#include "rehearsal/teachers.hpp"

namespace evd::rehearsal {

using Json = nlohmann::ordered_json;

World::Price World::price(const std::string& model) const {
  const auto found = prices.find(model);
  return found == prices.end() ? Price{model, 0} : found->second;
}

Answer error_answer(int status, std::string_view message, std::string_view type,
                    std::string_view code) {
  const Json error = {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}};
  return {.status = status, .body = Json{{"error", error}}.dump()};
}

Answer trouble_answer(Trouble trouble) {
  switch (trouble) {
    case Trouble::internal_error:
      return error_answer(500, "The server had an error.", "server_error", "internal_error");
    case Trouble::unavailable:
      return error_answer(503, "The server is overloaded.", "server_error", "server_is_overloaded");
    case Trouble::throttled: {
      Answer answer = error_answer(429, "Rate limit reached. Try again in 1 s.", "requests",
                                   "rate_limit_exceeded");
      answer.headers = {{"Retry-After", "1"}, {"retry-after-ms", "1000"}};
      return answer;
    }
    default:
      return {.body =
                  "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It "
                  "works!</h1><p>This page is served by a proxy.</p></body></html>\n",
              .content_type = "text/html; charset=utf-8"};
  }
}

Answer answer_models() {
  Json models = Json::array();
  const auto add = [&](std::string_view name) {
    models.push_back(
        {{"id", name}, {"object", "model"}, {"created", 0}, {"owned_by", "rehearsal"}});
  };
  for (const Teacher& teacher : teachers()) add(teacher.name);
  add(kJudgeModel);
  return {.body = Json{{"object", "list"}, {"data", models}}.dump()};
}

}  // namespace evd::rehearsal
