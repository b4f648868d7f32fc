#include "teacher/openai_images.hpp"

#include <nlohmann/json.hpp>

#include "core/base64.hpp"
#include "core/error.hpp"
#include "image/image.hpp"
#include "teacher/errors.hpp"
#include "teacher/foreign_text.hpp"
#include "teacher/json_scanner.hpp"

namespace evd::teacher {
namespace {

constexpr std::size_t kModelBytes = 200;
constexpr std::size_t kRevisedPromptBytes = 64 << 10;

std::string_view optional_string(JsonScanner& scanner) {
  if (scanner.peek() == '"') return scanner.string().value_or(std::string_view());
  scanner.value();  // null, or something we do not use
  return {};
}

ImagesAnswer::Item locate_item(JsonScanner& scanner) {
  ImagesAnswer::Item item;
  if (scanner.peek() != '{') {
    scanner.value();
    return item;
  }
  scanner.open('{');
  while (const auto key = scanner.key()) {
    if (*key == "b64_json") {
      item.b64_json = optional_string(scanner);
    } else if (*key == "revised_prompt") {
      item.revised_prompt = optional_string(scanner);
    } else if (*key == "url") {
      item.has_url = !optional_string(scanner).empty();
    } else {
      scanner.value();
    }
  }
  return item;
}

void locate_data(JsonScanner& scanner, ImagesAnswer& answer) {
  if (scanner.peek() != '[') {
    scanner.value();
    return;
  }
  scanner.open('[');
  while (scanner.element()) answer.items.push_back(locate_item(scanner));
}

std::string clean_text(std::string_view raw, std::size_t max_bytes) {
  return foreign_text(unescape_json(raw).value_or(std::string()), max_bytes);
}

Ending examine_picture(const ImagesAnswer& answer, const ImagesAnswer::Item& item) {
  auto bytes = picture_bytes(item);
  if (!bytes) return unusable("corrupt_base64", "b64_json is no base64");
  try {
    // By its own magic bytes, whatever the answer says it is; to its last row.
    static_cast<void>(image::check(*bytes));
  } catch (const Error& error) {
    return unusable("corrupt_image", error.what());
  }
  return {.next = Ending::Next::answered,
          .charge = Charge::paid,
          .content = {.payload = std::move(*bytes),
                      .model_echo = clean_text(answer.model, kModelBytes),
                      .revised_prompt = clean_text(item.revised_prompt, kRevisedPromptBytes)}};
}

}  // namespace

std::string images_request_body(const ImagesRequest& request) {
  nlohmann::json body = {
      {"model", request.model},
      {"prompt", request.prompt},
      {"size", std::to_string(request.width) + "x" + std::to_string(request.height)},
      {"n", 1},
      {"output_format", "png"}};
  if (!request.quality.empty()) body["quality"] = request.quality;
  return body.dump();
}

ImagesAnswer locate_images(std::string_view body) {
  ImagesAnswer answer;
  JsonScanner scanner(body);
  if (!scanner.open('{')) return answer;
  while (const auto key = scanner.key()) {
    if (*key == "data") {
      locate_data(scanner, answer);
    } else if (*key == "model") {
      answer.model = optional_string(scanner);
    } else if (*key == "error") {
      answer.error = scanner.value();
    } else {
      scanner.value();
    }
  }
  answer.complete = scanner.complete();
  return answer;
}

// "\/" is a legal way to write '/', and some servers do.
std::optional<std::vector<std::byte>> picture_bytes(const ImagesAnswer::Item& item) {
  if (auto bytes = decode_base64(item.b64_json)) return bytes;
  if (item.b64_json.find('\\') == std::string_view::npos) return std::nullopt;
  const auto plain = unescape_json(item.b64_json);
  return plain ? decode_base64(*plain) : std::nullopt;
}

Ending examine_images(const http::Response& response, double now_unix_s) {
  const ImagesAnswer answer = locate_images(response.body);
  if (!answer.complete)
    return unusable("no_json", "status 200 with something that is no whole JSON (" +
                                   response.content_type.substr(0, 60) + ")");
  if (!answer.error.empty() && answer.error != "null")
    return ending_of_fault(response, parse_fault(response.body), now_unix_s);
  bool has_url = false;
  for (const auto& item : answer.items) {
    if (!item.b64_json.empty()) return examine_picture(answer, item);
    has_url = has_url || item.has_url;
  }
  if (has_url)
    return {.next = Ending::Next::give_up,
            .charge = Charge::unusable,
            .reason = "url_answer",
            .message = "it answers with URLs, and only b64_json is supported"};
  return unusable("no_image", "status 200 without a picture");
}

}  // namespace evd::teacher
