#include "teacher/openai_chat.hpp"

#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "teacher/errors.hpp"
#include "teacher/foreign_text.hpp"
#include "teacher/json_scanner.hpp"

namespace evd::teacher {
namespace {

using nlohmann::json;

std::string member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// content is a string, or a list of parts of which the texts count.
std::optional<std::string> content_of(const json& message) {
  const auto content = message.find("content");
  if (content == message.end()) return std::nullopt;
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) return std::nullopt;
  std::string text;
  for (const auto& part : *content)
    if (part.is_object()) text += member(part, "text");
  return text;
}

Ending refusal(std::string reason, std::string message) {
  return {.next = Ending::Next::refused,
          .reason = std::move(reason),
          .message = message.substr(0, 200)};
}

Ending examine_choice(const json& root, const json& choice) {
  const std::string finish = member(choice, "finish_reason");
  const auto found = choice.find("message");
  const json message = found != choice.end() && found->is_object() ? *found : json::object();
  if (const std::string refused = member(message, "refusal"); !refused.empty())
    return refusal("refusal", refused);
  if (finish == "content_filter") return refusal("content_filter", "");
  const auto text = content_of(message);
  if (!text) return unusable("no_content", "status 200 without a reply");
  Ending ending{.next = Ending::Next::answered,
                .charge = Charge::paid,
                .reason = finish == "length" ? "length" : ""};
  const Bytes bytes = as_bytes(*text);
  ending.content.payload.assign(bytes.begin(), bytes.end());
  ending.content.model_echo = foreign_text(member(root, "model"), 200);
  const auto logprobs = choice.find("logprobs");
  if (logprobs != choice.end() && logprobs->is_object())
    ending.content.logprobs_json = logprobs->dump(-1, ' ', false, json::error_handler_t::replace);
  return ending;
}

}  // namespace

Ending examine_chat(const http::Response& response, double now_unix_s) {
  // Copying and printing a value recurses into it: a nested answer must not take the stack.
  const auto root =
      is_whole_json(response.body) ? json::parse(response.body, nullptr, false) : json();
  if (!root.is_object())
    return unusable("no_json", "status 200 with something that is no whole JSON (" +
                                   response.content_type.substr(0, 60) + ")");
  const auto error = root.find("error");
  if (error != root.end() && !error->is_null())
    return ending_of_fault(response, parse_fault(response.body), now_unix_s);
  const auto choices = root.find("choices");
  if (choices == root.end() || !choices->is_array() || choices->empty() ||
      !choices->front().is_object())
    return unusable("no_content", "status 200 without a reply");
  return examine_choice(root, choices->front());
}

}  // namespace evd::teacher
