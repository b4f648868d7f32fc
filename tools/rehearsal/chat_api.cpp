#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/base64.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "rehearsal/wire.hpp"

namespace evd::rehearsal {
namespace {

using Json = nlohmann::ordered_json;

// A request that cannot be answered: becomes a 400.
struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Token {
  std::string text;
  std::vector<std::pair<std::string, double>> probable;  // most probable first; empty = certain
};
// A reply in tokens: where it is uncertain, with the alternatives.
using Reply = std::vector<Token>;

struct Question {
  std::string kind;         // name of the JSON schema
  std::string description;  // the prompt that it is about
  int count = 3;
  std::optional<Style> style;
  std::vector<image::Rgb> pictures;
};

constexpr int kMostVariations = 64;

std::string after(std::string_view text, std::string_view label) {
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with(label)) return std::string(trim(line.substr(label.size())));
  }
  return {};
}

image::Rgb picture_of(const Json& part) {
  const std::string url = part.at("image_url").at("url").get<std::string>();
  const auto comma = url.find(";base64,");
  if (!url.starts_with("data:image/") || comma == std::string::npos)
    throw BadRequest("image_url must be a data URL in base64.");
  const auto bytes = decode_base64(std::string_view(url).substr(comma + 8));
  if (!bytes || bytes->empty()) throw BadRequest("image_url holds no base64.");
  const std::string mime = url.substr(5, comma - 5);
  if (image::probe(*bytes).mime != mime)
    throw BadRequest("image_url says " + mime + ", the picture is of another kind.");
  return image::decode(*bytes);
}

void read_text(const std::string& text, Question& question) {
  if (question.description.empty()) question.description = after(text, "Description: ");
  if (const std::string count = after(text, "Count: "); !count.empty())
    std::from_chars(count.data(), count.data() + count.size(), question.count);
  const std::string style = after(text, "Style: ");
  for (std::size_t i = 1; i < EnumNames<Style>::value.size(); ++i) {
    if (EnumNames<Style>::value[i] == style) question.style = static_cast<Style>(i);
  }
}

Question read_question(const Json& request) {
  Question question;
  for (const Json& message : request.at("messages")) {
    if (message.at("role") != "user") continue;
    const Json& content = message.at("content");
    if (content.is_string()) {
      read_text(content.get<std::string>(), question);
      continue;
    }
    for (const Json& part : content) {
      if (part.at("type") == "text") {
        read_text(part.at("text").get<std::string>(), question);
      } else if (part.at("type") == "image_url") {
        question.pictures.push_back(picture_of(part));
      } else {
        throw BadRequest("a content part must be text or image_url.");
      }
    }
  }
  const auto format = request.find("response_format");
  if (format != request.end() && format->contains("json_schema")) {
    question.kind = format->at("json_schema").value("name", "");
  } else if (question.pictures.size() < 3) {
    // Without a schema: what the words and pictures suggest.
    constexpr std::array kinds = {"variations", "alignment", "verdict"};
    question.kind = question.style ? "mutation" : kinds.at(question.pictures.size());
  }
  question.count = std::clamp(question.count, 1, kMostVariations);
  return question;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Reply verdict_reply(const Question& question, const World& world, const Dice& dice) {
  if (question.pictures.size() != 2) throw BadRequest("a verdict needs two images.");
  const double logit = preference(question.description, question.pictures[0], question.pictures[1],
                                  world.temper, dice.thought());
  const double tie = 0.5 * std::exp(-logit * logit / 0.1);
  const double first = sigmoid(logit) * (1 - tie);
  Token winner;
  winner.probable = {{"A", first}, {"B", 1 - tie - first}, {"tie", tie}};
  std::sort(winner.probable.begin(), winner.probable.end(),
            [](const auto& a, const auto& b) { return a.second > b.second; });
  winner.text = winner.probable[0].first;
  const double margin = std::abs(2 * sigmoid(logit) - 1);
  const int confidence =
      static_cast<int>(std::lround(100 * (winner.text == "tie" ? 1 - margin : margin)));
  return {{"{\"", {}},   {"winner", {}},     {"\":\"", {}}, winner,
          {"\",\"", {}}, {"confidence", {}}, {"\":", {}},   {std::to_string(confidence), {}},
          {"}", {}}};
}

Reply whole(const Json& answer) { return {{answer.dump(), {}}}; }

Reply reply_to(const Question& question, const World& world, const Dice& dice) {
  if (question.kind == "verdict") return verdict_reply(question, world, dice);
  if (question.kind == "alignment") {
    if (question.pictures.size() != 1) throw BadRequest("an alignment needs one image.");
    return whole({{"score", alignment_score(question.description, question.pictures[0],
                                            world.temper, dice.thought())}});
  }
  if (question.kind == "variations")
    return whole(
        {{"descriptions", variations(question.description, static_cast<std::size_t>(question.count),
                                     dice.thought())}});
  if (question.kind == "mutation")
    return whole(
        {{"description", mutation(question.style.value_or(Style::dense), dice.thought())}});
  throw BadRequest(
      "response_format must name one of the schemas verdict, variations, mutation, alignment.");
}

std::string text_of(const Reply& reply) {
  std::string text;
  for (const Token& token : reply) text += token.text;
  return text;
}

// The same answer in the words of a model that keeps to no format.
std::string in_prose(const Question& question, const std::string& text) {
  const Json answer = Json::parse(text);
  if (question.kind == "verdict") {
    const auto winner = answer.at("winner").get<std::string>();
    return winner == "tie" ? "I looked at both pictures and find them equally good."
                           : "I looked at both pictures. Image " + winner + " is better.";
  }
  if (question.kind == "alignment")
    return "I would give this picture " + answer.at("score").dump() + " out of 100.";
  if (question.kind == "mutation") return answer.at("description").get<std::string>();
  std::string list = "Of course! Here they are:\n";
  int number = 0;
  for (const Json& item : answer.at("descriptions"))
    list += std::to_string(++number) + ". " + item.get<std::string>() + "\n";
  return list;
}

struct Spoken {
  Reply reply;
  std::string finish_reason = "stop";
};

Spoken spoken(Reply reply, const Question& question, Spoilt how) {
  switch (how) {
    case Spoilt::no:
      return {std::move(reply)};
    case Spoilt::fenced:
      reply.insert(reply.begin(), {"Here is my answer:\n```json\n", {}});
      reply.push_back({"\n```", {}});
      return {std::move(reply)};
    case Spoilt::prose:
      return {{{in_prose(question, text_of(reply)), {}}}};
    case Spoilt::cut: {
      const std::string text = text_of(reply);
      return {{{text.substr(0, std::min<std::size_t>(text.size() / 2, 8)), {}}}, "length"};
    }
    case Spoilt::undecided:
      return {
          {{"Image A is better in its colours, but image B is better in its shapes, so it is "
            "hard to say; perhaps someone else should look at them.",
            {}}}};
  }
  throw InternalError("an answer that is spoilt in no way");
}

Json token_json(std::string_view text, double probability) {
  Json bytes = Json::array();
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", text}, {"logprob", std::log(std::max(probability, 1e-12))}, {"bytes", bytes}};
}

Json logprobs_json(const Reply& reply, int top) {
  Json content = Json::array();
  for (const Token& token : reply) {
    auto probable = token.probable;
    if (probable.empty()) probable = {{token.text, 0.999}};
    Json entry = token_json(token.text, probable[0].second);
    Json best = Json::array();
    for (std::size_t i = 0; i < probable.size() && i < static_cast<std::size_t>(top); ++i)
      best.push_back(token_json(probable[i].first, probable[i].second));
    entry["top_logprobs"] = best;
    content.push_back(std::move(entry));
  }
  return {{"content", content}, {"refusal", nullptr}};
}

Answer completion(const World& world, const Json& request, const Spoken& spoken) {
  const std::string text = text_of(spoken.reply);
  const bool wants = request.value("logprobs", Json(false)) == Json(true);
  const Json top = request.value("top_logprobs", Json(0));
  const auto tokens = static_cast<std::int64_t>(text.size() / 4 + 1);
  const Json choice = {
      {"index", 0},
      {"finish_reason", spoken.finish_reason},
      {"message", {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}}},
      {"logprobs", wants ? logprobs_json(spoken.reply, top.is_number_integer() ? top.get<int>() : 0)
                         : Json(nullptr)}};
  const auto price = world.price(std::string(kJudgeModel));
  const Json answer = {
      {"id", "chatcmpl-rehearsal"},
      {"object", "chat.completion"},
      {"created", utc_ms() / 1000},
      {"model", kJudgeModel},
      {"choices", {choice}},
      {"usage",
       {{"prompt_tokens", 100}, {"completion_tokens", tokens}, {"total_tokens", 100 + tokens}}}};
  return {
      .body = answer.dump(), .service = price.service, .microusd = price.microusd, .answers = 1};
}

Answer invalid(const std::string& message) {
  return error_answer(400, message, "invalid_request_error", "invalid_value");
}

}  // namespace

Answer answer_chat(const World& world, std::string_view body, const Dice& dice) {
  const Json request = Json::parse(body, nullptr, false);
  if (!request.is_object()) return invalid("The body is not a JSON object.");
  try {
    if (request.at("model") != kJudgeModel)
      return error_answer(404, "The model does not exist.", "invalid_request_error",
                          "model_not_found");
    if (request.value("stream", Json(false)) == Json(true))
      return invalid("stream is not offered.");
    const Question question = read_question(request);
    const Reply reply = reply_to(question, world, dice);
    return completion(world, request, spoken(reply, question, dice.spoilt(world.malformed_rate)));
  } catch (const BadRequest& error) {
    return invalid(error.what());
  } catch (const DataError& error) {
    return invalid(std::string("an image cannot be read: ") + error.what());
  } catch (const Json::exception&) {
    return invalid("a required field is missing or of another type.");
  }
}

}  // namespace evd::rehearsal
