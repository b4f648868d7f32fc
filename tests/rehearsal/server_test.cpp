#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/hash.hpp"
#include "services.hpp"

namespace evd::rehearsal {
namespace {

using nlohmann::json;

constexpr const char* kPrompt = "two red circles left of a small blue square";
const std::string kImages = "/v1/images/generations";
const std::string kChat = "/v1/chat/completions";

class Caller {
 public:
  explicit Caller(int port, const std::string& token = Services::kToken)
      : http_("127.0.0.1", port) {
    http_.set_keep_alive(true);
    http_.set_tcp_nodelay(true);
    http_.set_read_timeout(60);
    if (!token.empty()) http_.set_bearer_token_auth(token.c_str());
  }
  httplib::Result post(const std::string& path, const std::string& body) {
    return http_.Post(path.c_str(), body, "application/json");
  }
  json get(const std::string& path) {
    const auto result = http_.Get(path.c_str());
    return result ? json::parse(result->body) : json();
  }
  int status(const std::string& path) {
    const auto result = http_.Get(path.c_str());
    return result ? result->status : -1;
  }

 private:
  httplib::Client http_;
};

std::string picture(Caller& caller, const std::string& model, const std::string& prompt) {
  const auto result = caller.post(kImages, picture_body(model, prompt));
  return json::parse(result->body).at("data").at(0).at("b64_json");
}

// What matters in an answer: status, and the body without the time.
std::string essence(const httplib::Result& result) {
  if (!result) return "broken off";
  auto body = json::parse(result->body, nullptr, false);
  if (body.is_object()) body.erase("created");
  return std::to_string(result->status) + " " + (body.is_discarded() ? result->body : body.dump());
}

TEST(Server, WantsItsToken) {
  const test::TempDir directory;
  Services services(directory, {});
  for (const std::string token : {"", "wrong", "a-token-of-the-tes"}) {
    Caller caller(services.port(), token);
    EXPECT_EQ(caller.status("/health"), 200);
    EXPECT_EQ(caller.status("/ledger"), 401);
    const auto result = caller.post(kImages, picture_body("aurora", kPrompt));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 401);
    EXPECT_EQ(json::parse(result->body)["error"]["code"], "invalid_api_key");
  }
  EXPECT_EQ(Caller(services.port()).get("/ledger")["answers"], 0);
}

TEST(Server, AnswersUnderBothRoots) {
  const test::TempDir directory;
  Services services(directory, {});
  Caller caller(services.port());
  for (const std::string root : {"", "/v1"}) {
    const auto result = caller.post(root + "/images/generations", picture_body("aurora", kPrompt));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 200);
    EXPECT_EQ(caller.get(root + "/models")["data"].size(), 5U);
  }
  EXPECT_EQ(caller.status("/nowhere"), 404);
}

TEST(Server, RefusesWhatItCannotAnswer) {
  const test::TempDir directory;
  Services services(directory, {});
  Caller caller(services.port());
  const std::string url = R"({"type":"image_url","image_url":{"url":")";
  const auto chat = [](const std::string& part) {
    return R"({"model":"judge","messages":[{"role":"user","content":[)" + part +
           R"(]}],"response_format":{"json_schema":{"name":"verdict"}}})";
  };
  const std::map<std::string, std::pair<std::string, int>> cases = {
      {"not JSON", {"{", 400}},
      {R"({"model":"dall-e-2","prompt":"x"})", {"model_not_found", 404}},
      {R"({"model":"aurora","prompt":""})", {"invalid_value", 400}},
      {R"({"model":"aurora","prompt":"x","size":"9x9"})", {"invalid_value", 400}},
      {R"({"model":"aurora","prompt":"x","n":99})", {"invalid_value", 400}},
  };
  for (const auto& [body, wanted] : cases) {
    const auto result = caller.post(kImages, body);
    ASSERT_TRUE(result) << body;
    EXPECT_EQ(result->status, wanted.second) << body;
  }
  for (const std::string& body :
       {std::string("nonsense"), std::string(R"({"model":"judge"})"), chat(""),
        chat(url + "http://127.0.0.1/x.png\"}}"), chat(url + "data:image/png;base64,AAAA\"}}"),
        chat(url + "data:image/png;base64,####\"}}"), chat("17")}) {
    const auto result = caller.post(kChat, body);
    ASSERT_TRUE(result) << body;
    EXPECT_EQ(result->status, 400) << body;
    EXPECT_TRUE(json::parse(result->body)["error"].contains("message"));
  }
  EXPECT_EQ(caller.get("/ledger")["answers"], 0);
}

TEST(Server, AnswersDoNotDependOnOrderOrCompany) {
  const test::TempDir directory;
  const std::vector<std::string> world = {"--seed",           "3",   "--fail-rate",   "0.2",
                                          "--malformed-rate", "0.3", "--refuse-rate", "0.1"};
  Services one(directory, world, "one");
  Services two(directory, world, "two");
  Services calm(directory, {}, "calm");
  Caller painter(calm.port());
  const std::string a = picture(painter, "glyph", kPrompt);
  const std::string b = picture(painter, "drift", kPrompt);
  Caller first(one.port());
  std::vector<std::pair<std::string, std::string>> requests;
  for (int i = 0; i < 120; ++i) {
    const std::string prompt = "a red circle left of a " + std::string(i % 2 ? "green" : "blue") +
                               " square " + std::to_string(i);
    requests.emplace_back(kImages, picture_body(i % 3 ? "aurora" : "meadow", prompt, i));
    requests.emplace_back(
        kChat, question_body("verdict", "Description: " + std::string(kPrompt), {a, b}, i));
  }
  std::vector<std::string> in_order;
  for (const auto& [path, body] : requests) in_order.push_back(essence(first.post(path, body)));

  // Another server of the same world: backwards, from eight connections at once.
  std::vector<std::string> at_once(requests.size());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Caller caller(two.port());
      for (std::size_t i = requests.size() - 1 - t; i < requests.size(); i -= 8)
        at_once[i] = essence(caller.post(requests[i].first, requests[i].second));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(in_order, at_once);
  // Some of everything has been seen.
  const auto seen = [&](const std::string& begin) {
    return std::any_of(in_order.begin(), in_order.end(),
                       [&](const auto& text) { return text.starts_with(begin); });
  };
  EXPECT_TRUE(seen("200") && seen("500") && seen("503") && seen("400"));
}

TEST(Server, AnotherSeedIsAnotherWorld) {
  const test::TempDir directory;
  Services one(directory, {"--seed", "1"}, "one");
  Services two(directory, {"--seed", "2"}, "two");
  Caller a(one.port());
  Caller b(two.port());
  EXPECT_NE(picture(a, "aurora", kPrompt), picture(b, "aurora", kPrompt));
}

TEST(Server, TroublesAreWhatTheyAreCalled) {
  const test::TempDir directory;
  Services services(directory, {"--fail-rate", "0.15", "--throttle-rate", "0.15", "--nonsense-rate",
                                "0.15", "--truncate-rate", "0.15"});
  std::map<std::string, int> seen;
  Caller caller(services.port());
  for (int i = 0; i < 200; ++i) {
    const auto result = caller.post(kImages, picture_body("aurora", kPrompt, i));
    if (!result) {
      ++seen["cut"];
    } else if (result->status == 429) {
      EXPECT_EQ(result->get_header_value("Retry-After"), "1");
      ++seen["throttled"];
    } else if (result->status >= 500) {
      EXPECT_TRUE(json::parse(result->body)["error"].contains("code"));
      ++seen["failed"];
    } else {
      ASSERT_EQ(result->status, 200);
      ++seen[result->body.starts_with("<!DOCTYPE html>") ? "nonsense" : "good"];
    }
  }
  for (const char* kind : {"cut", "throttled", "failed", "nonsense"}) {
    EXPECT_GT(seen[kind], 12) << kind;
    EXPECT_LT(seen[kind], 50) << kind;
  }
  // Charged: what was painted, also when it was cut off; nothing else.
  EXPECT_EQ(caller.get("/ledger")["answers"], seen["good"] + seen["cut"]);
}

TEST(Server, RefusalsAreFreeAndStay) {
  const test::TempDir directory;
  Services services(directory, {"--refuse-rate", "1"});
  Caller caller(services.port());
  for (int i = 0; i < 3; ++i) {
    const auto result = caller.post(kImages, picture_body("aurora", kPrompt));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 400);
    EXPECT_EQ(json::parse(result->body)["error"]["code"], "moderation_blocked");
  }
  EXPECT_EQ(caller.get("/ledger")["answers"], 0);
}

// A dropped connection would be tried again after a second.
TEST(Server, ManyClientsMayBeginAtOnce) {
  const test::TempDir directory;
  Services services(directory, {});
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int t = 0; t < 100; ++t) {
    threads.emplace_back([&] { answered += Caller(services.port()).status("/health") == 200; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 100);
}

TEST(Server, APortIsNotShared) {
  const test::TempDir directory;
  Services services(directory, {});
  const auto finished = test::run({.arguments = {test::program("evd-rehearsal"), "serve", "--open",
                                                 "--port", std::to_string(services.port())},
                                   .timeout_s = 20});
  EXPECT_EQ(finished.code, 74) << finished.story();
}

TEST(Server, LatencyIsWaited) {
  const test::TempDir directory;
  Services services(directory, {"--latency-ms", "200"});
  Caller caller(services.port());
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(caller.post(kImages, picture_body("aurora", kPrompt)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100));
}

TEST(Ledger, CountsEveryChargeOfEveryLife) {
  const test::TempDir directory;
  test::write_file(directory / "world.toml", R"(
[rehearsal]
enabled = true
[[teacher]]
name = "the-painter"
base_url = "rehearsal"
model = "aurora"
price_usd = 0.04
[vlm]
base_url = "rehearsal"
model = "judge"
price_usd = 0.002
)");
  const std::vector<std::string> flags = {"--config", (directory / "world.toml").string()};
  const std::string body = picture_body("aurora", kPrompt);
  {
    Services services(directory, flags, "1");
    Caller caller(services.port());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(caller.post(kImages, body));
    ASSERT_TRUE(caller.post(
        kChat,
        question_body("variations", "Description: " + std::string(kPrompt) + "\nCount: 3", {})));
    services.kill();
  }
  // A crash may have cut a line.
  {
    std::ofstream cut(directory / "ledger-0.jsonl");
    cut << R"({"time_ms":1,"service":"the-painter","request":"00","answers":1,"microusd":7})"
        << "\n"
        << R"({"time_ms":1,"service":"the-pa)";
  }
  Services services(directory, flags, "2");
  Caller caller(services.port());
  ASSERT_TRUE(caller.post(kImages, body));
  const json sums = caller.get("/ledger?requests=1");
  EXPECT_EQ(sums["services"]["the-painter"]["answers"], 7);
  EXPECT_EQ(sums["services"]["the-painter"]["microusd"], 6 * 40000 + 7);
  EXPECT_EQ(sums["services"]["vlm"]["microusd"], 2000);
  EXPECT_EQ(sums["microusd"], 6 * 40000 + 7 + 2000);
  EXPECT_EQ(sums["damaged_lines"], 1);
  EXPECT_EQ(sums["requests"][sha256(body).hex()], 6);
}

TEST(Ledger, IsNeverContinued) {
  const test::TempDir directory;
  test::write_file(directory / "ledger-1.jsonl", "");
  test::write_file(directory / "token", "x\n");
  const auto finished =
      test::run({.arguments = {test::program("evd-rehearsal"), "serve", "--open", "--ledger",
                               (directory / "ledger-1.jsonl").string()}});
  EXPECT_EQ(finished.code, 74) << finished.story();
  EXPECT_NE(finished.err.find("ledger-1.jsonl"), std::string::npos);
}

TEST(Server, EndsWhenItsParentDoes) {
  int pipe_ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(pipe_ends), 0);  // both ends pass to the child...
  int token_ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(token_ends), 0);
  ASSERT_EQ(::write(token_ends[1], "secret\n", 7), 7);
  // ... so the shell closes the writing end in it, as a program that starts it would.
  const std::string line =
      test::program("evd-rehearsal") + " serve --token-fd " + std::to_string(token_ends[0]) +
      " --parent-fd " + std::to_string(pipe_ends[0]) + " " + std::to_string(pipe_ends[1]) + ">&-";
  test::Process process({.arguments = {"bash", "-c", "exec " + line}, .timeout_s = 60});
  ASSERT_TRUE(process.wait_for("}\n")) << process.err_so_far();
  const int port = json::parse(process.out_so_far()).at("port").get<int>();
  Caller caller(port, "secret");
  EXPECT_EQ(caller.status("/ledger"), 200);
  EXPECT_TRUE(process.running());
  ::close(pipe_ends[1]);
  const auto finished = process.wait();
  EXPECT_EQ(finished.code, 0) << finished.story();
  EXPECT_FALSE(finished.timed_out);
  for (const int end : {pipe_ends[0], token_ends[0], token_ends[1]}) ::close(end);
}

TEST(Server, SaysWhatIsWrongWithItsArguments) {
  const test::TempDir directory;
  const auto program = test::program("evd-rehearsal");
  test::write_file(directory / "readable", "token\n");
  std::filesystem::permissions(directory / "readable", std::filesystem::perms(0644));
  const std::vector<std::pair<std::vector<std::string>, int>> cases = {
      {{"serve"}, 64},
      {{"serve", "--token-file", (directory / "readable").string()}, 78},
      {{"serve", "--open", "--bind", "203.0.113.7"}, 74},
      {{"serve", "--open", "--fail-rate", "2"}, 78},
      {{"serve", "--open", "--fail-rat", "1"}, 64},
      {{"dance"}, 64},
      {{}, 64}};
  for (auto [arguments, code] : cases) {
    arguments.insert(arguments.begin(), program);
    const auto finished = test::run({.arguments = arguments, .timeout_s = 20});
    EXPECT_EQ(finished.code, code) << finished.story();
    EXPECT_FALSE(finished.err.empty() && finished.out.empty());
  }
}

TEST(Judge, KnowsTheFourQuestions) {
  const test::TempDir directory;
  Services services(directory,
                    {"--malformed-rate", "0", "--judge-noise", "0", "--position-bias", "0"});
  Caller caller(services.port());
  const auto ask = [&](const std::string& schema, const std::string& text,
                       const std::vector<std::string>& pictures) {
    const auto result = caller.post(kChat, question_body(schema, text, pictures));
    EXPECT_TRUE(result);
    const json message = json::parse(result->body)["choices"][0];
    EXPECT_EQ(message["finish_reason"], "stop");
    return json::parse(message["message"]["content"].get<std::string>());
  };
  const std::string about = "Description: " + std::string(kPrompt) + "\n";
  const std::string a = picture(caller, "glyph", kPrompt);
  const std::string b =
      picture(caller, "glyph", "a person in a green shirt cheering in the middle");
  EXPECT_EQ(ask("verdict", about, {a, b})["winner"], "A");
  EXPECT_EQ(ask("verdict", about, {b, a})["winner"], "B");
  EXPECT_EQ(ask("verdict", about, {a, a})["winner"], "tie");
  EXPECT_GT(ask("alignment", about, {a})["score"], ask("alignment", about, {b})["score"]);
  const json list = ask("variations", about + "Count: 4", {})["descriptions"];
  EXPECT_EQ(std::set<std::string>(list.begin(), list.end()).size(), 4U);
  for (const std::string style : {"rough", "dense", "mixed", "long"}) {
    const std::string text = ask("mutation", about + "Style: " + style, {})["description"];
    const auto words = std::count(text.begin(), text.end(), ' ') + 1;
    if (style == "mixed") {
      EXPECT_GT(words, 30) << text;
    }
    if (style == "long") {
      EXPECT_GT(words, 50) << text;
    }
  }
}

// Every form in which vlm.structured and vlm.token_limit let the judge ask.
TEST(Judge, TakesEveryFormOfAQuestion) {
  const test::TempDir directory;
  Services services(directory,
                    {"--malformed-rate", "0", "--judge-noise", "0", "--position-bias", "0"});
  Caller caller(services.port());
  const std::string a = picture(caller, "glyph", kPrompt);
  const std::string about = "Description: " + std::string(kPrompt) + "\n";
  struct Case {
    std::string schema;
    std::string text;
    std::vector<std::string> pictures;
    std::string key;
  };
  const std::vector<Case> cases = {{"verdict", about, {a, a}, "winner"},
                                   {"alignment", about, {a}, "score"},
                                   {"variations", about + "Count: 2", {}, "descriptions"},
                                   {"mutation", about + "Style: rough", {}, "description"}};
  for (const auto& one : cases)
    for (const std::string limit : {"max_completion_tokens", "max_tokens"})
      for (const std::string form : {"json_schema", "json_object", "none"}) {
        json body = json::parse(question_body(one.schema, one.text, one.pictures));
        body[limit] = 512;
        if (form == "json_object") body["response_format"] = {{"type", form}};
        if (form == "none") body.erase("response_format");
        const auto result = caller.post(kChat, body.dump());
        ASSERT_TRUE(result);
        ASSERT_EQ(result->status, 200) << one.schema << form << result->body;
        const json choice = json::parse(result->body)["choices"][0];
        const auto answer = json::parse(choice["message"]["content"].get<std::string>());
        EXPECT_TRUE(answer.contains(one.key)) << form << answer;
      }
}

TEST(Judge, LogProbabilitiesSayWhatTheWinnerSays) {
  const test::TempDir directory;
  Services services(directory, {"--malformed-rate", "0", "--position-bias", "0.5"});
  Caller caller(services.port());
  const std::string a = picture(caller, "aurora", kPrompt);
  const std::string b = picture(caller, "drift", kPrompt);
  for (int i = 0; i < 20; ++i) {
    const auto result = caller.post(
        kChat, question_body("verdict", "Description: " + std::string(kPrompt), {a, b}, i));
    const json choice = json::parse(result->body)["choices"][0];
    const std::string content = choice["message"]["content"];
    std::string joined;
    double total = 0;
    double best = -1;
    std::string most_probable;
    for (const json& token : choice["logprobs"]["content"]) {
      joined += token["token"].get<std::string>();
      if (token["top_logprobs"].size() < 2) continue;
      for (const json& other : token["top_logprobs"]) {
        const double p = std::exp(other["logprob"].get<double>());
        total += p;
        if (p > best) most_probable = other["token"];
        best = std::max(best, p);
      }
    }
    EXPECT_EQ(joined, content);
    EXPECT_NEAR(total, 1, 1e-6);
    EXPECT_EQ(json::parse(content)["winner"], most_probable);
  }
}

TEST(Judge, SpoiltAnswersComeInEveryKind) {
  const test::TempDir directory;
  Services services(directory, {"--malformed-rate", "1"});
  Caller caller(services.port());
  const std::string a = picture(caller, "glyph", kPrompt);
  const std::string b = picture(caller, "drift", kPrompt);
  std::set<std::string> kinds;
  for (int i = 0; i < 60; ++i) {
    const auto result = caller.post(
        kChat, question_body("verdict", "Description: " + std::string(kPrompt), {a, b}, i));
    const json choice = json::parse(result->body)["choices"][0];
    const std::string text = choice["message"]["content"];
    EXPECT_TRUE(json::parse(text, nullptr, false).is_discarded()) << text;
    if (choice["finish_reason"] == "length") {
      kinds.insert("cut");
    } else if (text.find("```json") != std::string::npos) {
      kinds.insert("fenced");
    } else {
      kinds.insert(text.find("hard to say") != std::string::npos ? "undecided" : "prose");
    }
  }
  EXPECT_EQ(kinds.size(), 4U);
}

}  // namespace
}  // namespace evd::rehearsal
