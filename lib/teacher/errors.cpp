#include "teacher/errors.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <nlohmann/json.hpp>

#include "teacher/foreign_text.hpp"
#include "teacher/json_scanner.hpp"

namespace evd::teacher {
namespace {

using Next = Ending::Next;
using nlohmann::json;

constexpr std::size_t kParseLimitBytes = 64 << 10;
constexpr std::size_t kMessageLimitBytes = 200;

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 9> kRefusalCodes = {"moderation_blocked",
                                                           "content_policy_violation",
                                                           "content_filter",
                                                           "content_filtered",
                                                           "safety_violation",
                                                           "content_moderation",
                                                           "responsible_ai_policy_violation",
                                                           "nsfw_content",
                                                           "prompt_blocked"};
// What these say is meant whatever the status: hosts send them with 400, 402, 403 and 429.
constexpr std::array<std::string_view, 8> kMoneyCodes = {
    "insufficient_quota",         "credit_balance_exhausted",
    "billing_hard_limit_reached", "billing_not_active",
    "spend_limit_reached",        "insufficient_funds",
    "daily_limit_exceeded",       "quota_exceeded"};
constexpr std::array<std::string_view, 6> kPaceCodes = {
    "rate_limit",        "rate_limit_exceeded", "rate_limit_error",
    "too_many_requests", "slow_down",           "requests_limit_exceeded"};

template <std::size_t N>
bool says(const ServiceFault& fault, const std::array<std::string_view, N>& words) {
  return is_one_of(fault.code, words) || is_one_of(fault.type, words);
}

std::string tidy(std::string_view text) { return foreign_text(text, kMessageLimitBytes); }

std::string text_of(const json& value) {
  if (value.is_string()) return tidy(value.get<std::string>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  return {};
}

std::string member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string() : text_of(*found);
}

// A code for tables: what the service calls it if that is a word, else the status.
std::string reason_of(const http::Response& response, const ServiceFault& fault) {
  const auto is_word = [](const std::string& text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    }) && !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (is_word(fault.code)) return fault.code;
  return "http_" + std::to_string(response.status);
}

std::optional<Ending> by_word(const ServiceFault& fault) {
  if (says(fault, kMoneyCodes))
    return Ending{.next = Next::give_up, .message = "the account's quota or funds are spent"};
  if (says(fault, kPaceCodes)) return Ending{.next = Next::throttled};
  return std::nullopt;
}

Ending by_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return {.next = Next::give_up, .message = "the key was not accepted"};
    case 402:
      return {.next = Next::give_up, .message = "the account has no funds"};
    case 404:
    case 405:
      return {.next = Next::give_up,
              .message = "there is no such address or model (check base_url and model)"};
    case 429:
      return {.next = Next::throttled};
    case 409:
    case 500:
      return {.next = Next::retry, .most = 3};
    case 408:
    case 425:
      return {.next = Next::retry};
    default:
      break;
  }
  if (status >= 500) return {.next = Next::retry};
  if (status >= 300 && status < 400)
    return {.next = Next::give_up,
            .message = "it redirects, which is not followed with a key (correct base_url)"};
  return {.next = Next::failed};
}

void apply_should_retry(const std::string& should_retry, Ending& ending) {
  if (should_retry == "true" && ending.next == Next::failed) ending.next = Next::retry;
  if (should_retry == "false" && ending.next == Next::retry) ending.next = Next::failed;
}

}  // namespace

ServiceFault parse_fault(std::string_view body) {
  const bool is_readable = body.size() <= kParseLimitBytes && is_whole_json(body);
  const auto parsed = is_readable ? json::parse(body, nullptr, false) : json();
  const json& root = parsed.is_array() && !parsed.empty() ? parsed.front() : parsed;
  ServiceFault fault;
  if (root.is_object()) {
    const auto error = root.find("error");
    const json& described = error != root.end() && error->is_object() ? *error : root;
    fault = {member(described, "code"), member(described, "type"), member(described, "message")};
    if (fault.message.empty() && error != root.end()) fault.message = text_of(*error);
    if (fault.message.empty()) fault.message = member(root, "detail");
    if (fault.message.empty() && root.contains("detail"))
      fault.message = tidy(root["detail"].dump(-1, ' ', false, json::error_handler_t::replace));
  }
  if (fault.message.empty()) fault.message = tidy(body);
  return fault;
}

bool is_refusal(const ServiceFault& fault) {
  return says(fault, kRefusalCodes) ||
         fault.message.find("safety_violations=") != std::string::npos;
}

Ending ending_of_fault(const http::Response& response, const ServiceFault& fault,
                       double now_unix_s) {
  const bool may_refuse = response.status < 500 && response.status != 401 &&
                          response.status != 402 && response.status != 429;
  Ending ending;
  if (may_refuse && is_refusal(fault)) {
    ending.next = Next::refused;
  } else if (const auto known = by_word(fault)) {
    ending = *known;
  } else if (response.status < 300) {
    return unusable("error_in_answer", fault.message);
  } else {
    ending = by_status(response.status);
  }
  ending.reason = reason_of(response, fault);
  ending.message += (ending.message.empty() ? "" : ": ") + fault.message;
  ending.hint = retry_after(response.retry_after_ms, response.retry_after, now_unix_s);
  apply_should_retry(response.should_retry, ending);
  return ending;
}

Ending ending_of_transfer(const http::Response& response) {
  switch (response.fault) {
    case http::Fault::tls:
      return {.next = Next::give_up,
              .reason = "tls",
              .message = "its certificate was not accepted: " + response.reason};
    case http::Fault::not_sent:
      return {.next = Next::retry, .reason = "not_sent", .message = response.reason};
    case http::Fault::too_large:
      return {.next = Next::failed,
              .charge = Charge::unusable,
              .reason = "too_large",
              .message = response.reason};
    default:
      return {.next = Next::retry,
              .charge = Charge::no_answer,
              .reason = "no_answer",
              .message = response.reason};
  }
}

Ending unusable(std::string reason, std::string message) {
  return {.next = Next::retry,
          .charge = Charge::unusable,
          .reason = std::move(reason),
          .message = std::move(message)};
}

}  // namespace evd::teacher
