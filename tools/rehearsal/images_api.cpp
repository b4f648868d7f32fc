#include <charconv>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/base64.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "rehearsal/teachers.hpp"
#include "rehearsal/wire.hpp"

namespace evd::rehearsal {
namespace {

using nlohmann::json;

constexpr int kLeastSide = 64;
constexpr int kLargestSide = 2048;
constexpr int kMostPictures = 10;
constexpr std::size_t kLongestPrompt = 32000;  // characters, as the original API

struct Size {
  int width = 0;
  int height = 0;
};

std::optional<Size> parse_size(std::string_view text) {
  if (text == "auto") return Size{1024, 1024};
  Size size;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, size.width);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != 'x') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, size.height);
  if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
  const auto fits = [](int side) { return side >= kLeastSide && side <= kLargestSide; };
  if (!fits(size.width) || !fits(size.height)) return std::nullopt;
  return size;
}

Answer invalid(const std::string& message) {
  return error_answer(400, message, "invalid_request_error", "invalid_value");
}

}  // namespace

Answer answer_images(const World& world, std::string_view body, const Dice& dice) {
  const json request = json::parse(body, nullptr, false);
  if (!request.is_object()) return invalid("The body is not a JSON object.");
  const auto text = [&](const char* key, const std::string& otherwise) {
    const auto found = request.find(key);
    return found != request.end() && found->is_string() ? found->get<std::string>() : otherwise;
  };
  const std::string model = text("model", "");
  const std::string prompt = text("prompt", "");
  const Teacher* teacher = find_teacher(model);
  if (teacher == nullptr)
    return error_answer(404, "The model does not exist.", "invalid_request_error",
                        "model_not_found");
  if (prompt.empty() || !is_utf8(prompt) || code_points(prompt) > kLongestPrompt)
    return invalid("prompt must be a text of 1 to 32000 characters.");
  const auto size = parse_size(text("size", "auto"));
  if (!size) return invalid("size must be WxH with sides of 64 to 2048.");
  if (text("output_format", "png") != "png") return invalid("output_format must be png.");
  if (request.value("stream", json(false)) == json(true)) return invalid("stream is not offered.");
  const json n = request.value("n", json(1));
  if (n != json(nullptr) && (!n.is_number_integer() || n < 1 || n > kMostPictures))
    return invalid("n must be 1 to 10.");
  if (refused(world.troubles.refuse, world.seed, model, prompt))
    return error_answer(400,
                        "Your request was rejected by the safety system. "
                        "safety_violations=[rehearsal].",
                        "image_generation_user_error", "moderation_blocked");

  const int count = n.is_number_integer() ? n.get<int>() : 1;
  // By hand: a DOM that holds pictures as base64 would be copied several times.
  std::string pictures;
  for (int i = 0; i < count; ++i) {
    const auto picture = draw(*teacher, prompt, size->width, size->height,
                              dice.picture(static_cast<std::uint64_t>(i)));
    const auto png = image::encode_png(picture);
    pictures += (i > 0 ? R"(,{"b64_json":")" : R"({"b64_json":")") + base64(png) + "\"}";
  }
  const auto price = world.price(model);
  const std::string shape = std::to_string(size->width) + "x" + std::to_string(size->height);
  return {.body = R"({"created":)" + std::to_string(utc_ms() / 1000) +
                  R"(,"background":"opaque","output_format":"png","quality":"low","size":")" +
                  shape + R"(","model":")" + model + R"(","data":[)" + pictures +
                  R"(],"usage":{"input_tokens":16,"output_tokens":272,"total_tokens":288,)"
                  R"("input_tokens_details":{"text_tokens":16,"image_tokens":0}}})",
          .service = price.service,
          .microusd = price.microusd * count,
          .answers = count};
}

}  // namespace evd::rehearsal
