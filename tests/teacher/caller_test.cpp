#include "teacher/caller.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <set>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/base64.hpp"
#include "core/error.hpp"
#include "teacher/exchange.hpp"

namespace evd::teacher {
namespace {

using evd::test::Received;
using evd::test::reply;
using evd::test::Scripted;
using evd::test::ScriptedServer;
using evd::test::silence;
using shard::Outcome;
using test::Exchange;
using test::picture;
using test::picture_reply;

std::vector<std::string> names(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back("prompt " + std::to_string(i));
  return all;
}

// How often the server has read each request.
std::map<std::string, int> posts(const ScriptedServer& server) {
  std::map<std::string, int> counts;
  for (const auto& one : server.received()) ++counts[one.body];
  return counts;
}

/// Does something odd with the first attempt of each request, then answers.
std::function<Scripted(const Received&)> first_time(std::function<Scripted()> odd, int times = 1) {
  auto seen = std::make_shared<std::map<std::string, int>>();
  auto mutex = std::make_shared<std::mutex>();
  return [odd = std::move(odd), seen, mutex, times](const Received& request) {
    const std::lock_guard lock(*mutex);
    return (*seen)[request.body]++ < times ? odd() : picture_reply();
  };
}

TEST(Caller, AnswersAreRecordedBeforeTheyAreTold) {
  ScriptedServer server([](const Received&) { return picture_reply(); });
  Exchange exchange(server.url() + "/v1/");
  const auto replies = exchange.life(names(20), [&](Caller& caller) {
    for (const auto& row : caller.calls())
      if (row.outcome == Outcome::ok) {
        ASSERT_TRUE(exchange.journals().find(row.key) != nullptr);
      }
  });
  ASSERT_EQ(replies.size(), 20U);
  const auto journals = exchange.journals();
  for (const auto& [name, reply] : replies) {
    EXPECT_EQ(reply.outcome, Outcome::ok) << reply.reason;
    EXPECT_EQ(reply.payload, picture());
    EXPECT_EQ(reply.cost_microusd, 40'000);
    EXPECT_EQ(reply.attempts, 1);
    EXPECT_EQ(journals.reply(Exchange::key(name))->payload, picture());
  }
  EXPECT_EQ(server.received()[0].path, "/v1/images/generations");
  EXPECT_LE(server.most_at_once(), 8);
  EXPECT_EQ(exchange.permits.paid_microusd, 20 * 40'000);
  EXPECT_EQ(exchange.permits.in_flight, 0);
  EXPECT_EQ(journals.spent_microusd("main"), 20 * 40'000);
  EXPECT_EQ(exchange.rows().size(), 20U);
}

TEST(Caller, ARecordedAnswerIsNeverAskedForAgain) {
  ScriptedServer server([](const Received& r) {
    return r.body == "bad" ? reply(400, R"({"error":{"code":"moderation_blocked"}})")
                           : picture_reply();
  });
  Exchange exchange(server.url());
  exchange.life({"good", "bad"});
  const auto again = exchange.life({"good", "bad", "new"});
  EXPECT_EQ(again.at("good").payload, picture());
  EXPECT_EQ(again.at("bad").outcome, Outcome::refused);
  EXPECT_EQ(again.at("bad").reason, "moderation_blocked");
  EXPECT_EQ(again.at("bad").cost_microusd, 0);
  EXPECT_EQ(posts(server), (std::map<std::string, int>{{"good", 1}, {"bad", 1}, {"new", 1}}));
}

TEST(Caller, OneKeyAskedTwiceAtOnceIsPostedOnce) {
  ScriptedServer server([](const Received&) { return picture_reply(); });
  Exchange exchange(server.url());
  exchange.life({"a", "a", "a", "b"});
  EXPECT_EQ(posts(server), (std::map<std::string, int>{{"a", 1}, {"b", 1}}));
}

TEST(Caller, FailuresOfTheServiceAreRetried) {
  for (const int status : {500, 502, 503, 408, 409, 425, 529}) {
    ScriptedServer server(first_time([=] { return reply(status, "<html>oops</html>"); }));
    Exchange exchange(server.url());
    const auto replies = exchange.life({"a"});
    EXPECT_EQ(replies.at("a").outcome, Outcome::ok) << status;
    EXPECT_EQ(replies.at("a").attempts, 2) << status;
    const auto rows = exchange.rows();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].status, status);
    EXPECT_EQ(rows[0].outcome, Outcome::open);
    EXPECT_EQ(rows[0].cost_microusd, 0);
    EXPECT_FALSE(rows[0].ambiguous);
    EXPECT_EQ(rows[1].outcome, Outcome::ok);
  }
}

TEST(Caller, EveryFormOf429WaitsAndIsTold) {
  for (const std::string header :
       {"Retry-After: 0.2", "retry-after-ms: 200", "Retry-After: 0", "Retry-After: soon", "X: y"}) {
    ScriptedServer server(first_time(
        [=] { return reply(429, R"({"error":{"code":"rate_limit_exceeded"}})", {header}); }));
    Exchange exchange(server.url());
    const double begun_s = monotonic_s();
    EXPECT_EQ(exchange.life({"a"}).at("a").outcome, Outcome::ok) << header;
    if (header.find('2') != std::string::npos) {
      EXPECT_GT(monotonic_s() - begun_s, 0.2) << header;
    }
    EXPECT_EQ(exchange.permits.throttled, 1) << header;
  }
}

TEST(Caller, TooFastManyTimesIsNoFailure) {
  ScriptedServer server(first_time([] { return reply(429, "", {"retry-after-ms: 5"}); }, 3));
  Exchange exchange(server.url());
  exchange.service.max_attempts = 2;
  exchange.setup.service_patience_s = 60;
  exchange.setup.seed = 3;
  const auto replies = exchange.life({"a"});
  EXPECT_EQ(replies.at("a").outcome, Outcome::ok);
  EXPECT_EQ(replies.at("a").attempts, 4);
}

// What was in its back-off once kept the job for as long as the service had asked, a day here.
TEST(Caller, AWaitBeyondThePatienceEndsTheServiceAtOnce) {
  for (const int status : {429, 503}) {
    ScriptedServer server(
        [=](const Received&) { return reply(status, "", {"Retry-After: 86400"}); });
    Exchange exchange(server.url());
    exchange.service.max_attempts = 1;
    const auto replies = exchange.life(names(3));
    for (const auto& [name, one] : replies) {
      EXPECT_EQ(one.outcome, Outcome::open) << status;
      EXPECT_EQ(one.reason, "service_down") << status;
    }
    ASSERT_EQ(exchange.down.size(), 1U) << status;
    EXPECT_NE(exchange.down[0].find("it asks to wait"), std::string::npos) << exchange.down[0];
    EXPECT_EQ(exchange.permits.in_flight, 0);
  }
}

// The circuit once stayed open for good.
TEST(Caller, AProbeAnswered429IsFollowedByAnother) {
  std::atomic<int> number = 0;
  ScriptedServer server([&](const Received&) {
    const int n = ++number;
    if (n <= 5) return reply(503, "");
    return n == 6 ? reply(429, "", {"retry-after-ms: 50"}) : picture_reply();
  });
  Exchange exchange(server.url());
  exchange.setup.service_patience_s = 60;
  exchange.service.max_in_flight = 1;
  const auto replies = exchange.life(names(6));
  for (const auto& [name, one] : replies) EXPECT_EQ(one.outcome, Outcome::ok) << one.reason;
}

TEST(Caller, WithoutMoneyTheServiceIsStopped) {
  ScriptedServer server([](const Received&) {
    return reply(429, R"({"error":{"message":"quota","code":"insufficient_quota"}})");
  });
  Exchange exchange(server.url());
  exchange.service.max_in_flight = 1;
  const auto replies = exchange.life(names(10));
  for (const auto& [name, one] : replies) {
    EXPECT_EQ(one.outcome, Outcome::open);
    EXPECT_EQ(one.reason, "service_down");
  }
  EXPECT_EQ(server.received().size(), 1U);
  ASSERT_EQ(exchange.down.size(), 1U);
  EXPECT_NE(exchange.down[0].find("insufficient_quota"), std::string::npos);
}

TEST(Caller, AWrongKeyStopsTheServiceAndIsNotRepeated) {
  ScriptedServer server([](const Received& r) {
    const std::string key = r.headers.at("authorization");
    // So long that the message is cut inside the key, too.
    return reply(401, R"({"error":{"message":"Incorrect API key provided: )" + key +
                          std::string(130, ' ') + key + R"("}})");
  });
  Exchange exchange(server.url());
  exchange.service.max_in_flight = 1;
  exchange.setup.ready_keys = {{"aurora", "sk-very-secret-1234"}};
  ::testing::internal::CaptureStderr();
  exchange.life(names(5));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(server.received().size(), 1U);
  EXPECT_EQ(server.received()[0].headers.at("authorization"), "Bearer sk-very-secret-1234");
  ASSERT_EQ(exchange.down.size(), 1U);
  EXPECT_NE(exchange.down[0].find("http_401: the key was not accepted"), std::string::npos);
  EXPECT_EQ(exchange.down[0].find("sk-very"), std::string::npos) << exchange.down[0];
  EXPECT_NE(log.find("http_401"), std::string::npos) << log;
  EXPECT_EQ(log.find("sk-very"), std::string::npos) << log;
  for (const auto& file : std::filesystem::recursive_directory_iterator(exchange.calls()))
    if (file.is_regular_file()) {
      EXPECT_EQ(evd::test::read_file(file.path()).find("sk-very"), std::string::npos);
    }
}

TEST(Caller, TheRequestsOwnFaultsAreFinal) {
  for (const int status : {400, 413, 415, 422}) {
    ScriptedServer server([=](const Received&) { return reply(status, R"({"detail":"no"})"); });
    Exchange exchange(server.url());
    const auto replies = exchange.life({"a", "b"});
    EXPECT_EQ(replies.at("a").outcome, Outcome::failed);
    EXPECT_EQ(replies.at("a").reason, "http_" + std::to_string(status));
    EXPECT_EQ(server.received().size(), 2U);
    EXPECT_TRUE(exchange.down.empty());
  }
}

TEST(Caller, AnHtmlPageWithStatus200IsRetriedThenFails) {
  ScriptedServer server([](const Received& r) {
    return r.body == "bad" ? reply(200, "<html>Sign in</html>") : picture_reply();
  });
  Exchange exchange(server.url());
  exchange.service.max_attempts = 2;
  const auto replies = exchange.life({"bad", "good"});
  EXPECT_EQ(replies.at("good").outcome, Outcome::ok);
  EXPECT_EQ(replies.at("bad").outcome, Outcome::failed);
  EXPECT_EQ(replies.at("bad").reason, "no_json");
  EXPECT_EQ(posts(server)["bad"], 2);
  // Nobody knows whether it was charged: counted as possible.
  EXPECT_EQ(exchange.journals().find(Exchange::key("bad"))->ambiguous_microusd, 2 * 40'000);
}

TEST(Caller, HalfAnImageIsRetried) {
  ScriptedServer server(first_time([] {
    return reply(200, R"({"data":[{"b64_json":"iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8"}]})");
  }));
  Exchange exchange(server.url());
  const auto replies = exchange.life({"a"});
  EXPECT_EQ(replies.at("a").outcome, Outcome::ok);
  EXPECT_EQ(exchange.rows().at(0).reason.text, "corrupt_image");
  EXPECT_TRUE(exchange.rows().at(0).ambiguous);
}

TEST(Caller, ACutOffAnswerIsAskedForOnceMore) {
  const auto cut = [] {
    return Scripted{"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"data\"",
                    Scripted::After::close};
  };
  ScriptedServer server(first_time(cut));
  Exchange exchange(server.url());
  EXPECT_EQ(exchange.life({"a"}).at("a").outcome, Outcome::ok);
  EXPECT_EQ(posts(server)["a"], 2);
}

TEST(Caller, SentTwiceWithoutAnAnswerIsTheEnd) {
  ScriptedServer server([](const Received&) { return silence(); });
  Exchange exchange(server.url());
  exchange.service.max_attempts = 10;
  const auto replies = exchange.life({"a"});
  EXPECT_EQ(replies.at("a").outcome, Outcome::failed);
  EXPECT_EQ(replies.at("a").reason, "ambiguous");
  EXPECT_EQ(posts(server)["a"], 2);
  EXPECT_EQ(exchange.permits.paid_microusd, 2 * 40'000) << "possible cost counts as spent";
  exchange.life({"a"});
  EXPECT_EQ(posts(server)["a"], 2);
  exchange.life({"a"}, {}, Recall::unless_failed);
  EXPECT_EQ(posts(server)["a"], 3) << "a person asked for one more try";
}

TEST(Caller, ATimeOutIsAmbiguous) {
  ScriptedServer server(first_time([] { return Scripted{"", Scripted::After::hold}; }));
  Exchange exchange(server.url());
  exchange.service.first_byte_timeout_s = 0.2;
  EXPECT_EQ(exchange.life({"a"}).at("a").outcome, Outcome::ok);
  EXPECT_TRUE(exchange.rows().at(0).ambiguous);
  EXPECT_EQ(exchange.rows().at(0).cost_microusd, 40'000);
}

TEST(Caller, AServiceThatIsNotThereIsWaitedForThenGivenUp) {
  Exchange exchange("http://127.0.0.1:" + std::to_string(evd::test::closed_port()));
  exchange.service.max_attempts = 2;
  const double begun_s = monotonic_s();
  const auto replies = exchange.life(names(5));
  EXPECT_GT(monotonic_s() - begun_s, 1.9);
  EXPECT_LT(monotonic_s() - begun_s, 20);
  for (const auto& [name, one] : replies)
    EXPECT_EQ(one.outcome, Outcome::open) << "nothing was sent, so nothing has failed";
  ASSERT_EQ(exchange.down.size(), 1U);
  EXPECT_NE(exchange.down[0].find("not_sent"), std::string::npos) << exchange.down[0];
  EXPECT_EQ(exchange.journals().spent_microusd("main"), 0);
}

// All of them fail while the service is ill, and none is lost by it.
TEST(Caller, AnIllServiceUsesUpNobodysAttempts) {
  std::atomic<int> left = 30;
  ScriptedServer server(
      [&](const Received&) { return left.fetch_sub(1) > 0 ? reply(503, "") : picture_reply(); });
  Exchange exchange(server.url());
  exchange.service.max_attempts = 2;
  exchange.setup.service_patience_s = 60;
  left = 12;
  const auto replies = exchange.life(names(20));
  int failed = 0;
  for (const auto& [name, one] : replies) failed += one.outcome != Outcome::ok;
  EXPECT_EQ(failed, 0);
}

TEST(Caller, ARequestThatAlwaysFailsAloneFails) {
  ScriptedServer server(
      [](const Received& r) { return r.body == "bad" ? reply(502, "") : picture_reply(); });
  Exchange exchange(server.url());
  exchange.service.max_attempts = 3;
  auto asked = names(3);
  asked.push_back("bad");
  const auto replies = exchange.life(asked);
  EXPECT_EQ(replies.at("bad").outcome, Outcome::failed);
  EXPECT_EQ(replies.at("bad").reason, "http_502");
  EXPECT_EQ(posts(server)["bad"], 3);
}

TEST(Caller, AnAnswerThatIsTooLargeFails) {
  ScriptedServer server([](const Received&) { return reply(200, std::string(3 << 20, 'x')); });
  Exchange exchange(server.url());
  exchange.service.max_answer_mib = 1;
  EXPECT_EQ(exchange.life({"a"}).at("a").reason, "too_large");
}

TEST(Caller, TheBudgetIsNeverOverdrawn) {
  ScriptedServer server([](const Received&) { return picture_reply(); });
  Exchange exchange(server.url());
  exchange.permits.free_microusd = 5 * 40'000 + 39'999;
  const auto replies = exchange.life(names(12));
  int got = 0;
  for (const auto& [name, one] : replies) {
    got += one.outcome == Outcome::ok;
    if (one.outcome != Outcome::ok) {
      EXPECT_EQ(one.reason, "budget");
    }
  }
  EXPECT_EQ(got, 5);
  EXPECT_EQ(server.received().size(), 5U);
}

TEST(Caller, StopLetsTheOpenOnesEndAndSendsNoMore) {
  std::atomic<bool> go = false;
  ScriptedServer server([&](const Received&) {
    while (!go) std::this_thread::yield();
    return picture_reply();
  });
  Exchange exchange(server.url());
  exchange.service.max_in_flight = 3;
  const auto replies = exchange.life(names(10), [&](Caller& caller) {
    if (server.received().size() < 3 || go) return;
    caller.stop();
    go = true;
  });
  int got = 0;
  for (const auto& [name, one] : replies) {
    got += one.outcome == Outcome::ok;
    if (one.outcome != Outcome::ok) {
      EXPECT_EQ(one.reason, "stopped");
    }
  }
  EXPECT_EQ(got, 3);
  EXPECT_EQ(server.received().size(), 3U);
  const auto rest = exchange.life(names(10));
  EXPECT_EQ(server.received().size(), 10U) << "the rest was asked later, none twice";
}

// A life that ends, as by kill -9, while its request is under way.
void vanish_while_asking(Exchange& exchange, const ScriptedServer& server, const std::string& job) {
  const std::size_t before = server.received().size();
  exchange.setup.services = {exchange.service};
  exchange.setup.journal_directory = exchange.calls().string();
  exchange.setup.job = job;
  const Log log("test", 0);
  Caller caller(exchange.setup, exchange.permits, log);
  caller.submit(0, {.key = Exchange::key("a"), .body = [] { return std::string("a"); }},
                [](const Reply&) { ADD_FAILURE() << "there is no answer"; });
  while (server.received().size() == before) {
    exchange.permits.serve();
    caller.step(1);
  }
}

TEST(Caller, LivesThatVanishLeaveAmbiguousIntentsAndEachIsAskedAgain) {
  std::atomic<bool> go = false;
  ScriptedServer server([&](const Received&) {
    while (!go) std::this_thread::yield();
    return picture_reply();
  });
  Exchange exchange(server.url());
  for (const char* job : {"first", "second", "third"}) vanish_while_asking(exchange, server, job);
  go = true;
  EXPECT_EQ(exchange.journals().find(Exchange::key("a"))->no_answer, 3);
  EXPECT_EQ(exchange.life({"a"}).at("a").outcome, Outcome::ok);
  EXPECT_EQ(posts(server)["a"], 4) << "once, and once for each ambiguous intent";
  EXPECT_EQ(exchange.journals().spent_microusd("main"), 4 * 40'000);
}

TEST(Caller, ADamagedRecordIsAskedForAgain) {
  ScriptedServer server([](const Received&) { return picture_reply(); });
  Exchange exchange(server.url());
  exchange.life({"a", "b"});
  const auto recorded = *exchange.journals().find(Exchange::key("a"));
  std::string bytes = evd::test::read_file(*recorded.file);
  bytes[recorded.offset + bytes.substr(recorded.offset).find("PNG")] = 'X';
  evd::test::write_file(*recorded.file, bytes);
  const auto again = exchange.life({"a", "b"});
  EXPECT_EQ(again.at("a").payload, picture());
  EXPECT_EQ(posts(server), (std::map<std::string, int>{{"a", 2}, {"b", 1}}));
}

TEST(Caller, ServicesOfOneNameShareKeyAndJournal) {
  ScriptedServer server([](const Received&) { return picture_reply(); });
  Exchange exchange(server.url());
  exchange.setup.services = {exchange.service, exchange.service};
  exchange.setup.journal_directory = exchange.calls().string();
  exchange.setup.job = "both";
  const Log log("test", 0);
  Caller caller(exchange.setup, exchange.permits, log);
  int replied = 0;
  for (const int service : {0, 1})
    caller.submit(service,
                  {.key = Exchange::key(std::to_string(service)),
                   .body = [] { return std::string("{}"); },
                   .budget_line = service == 0 ? "main" : "heldout"},
                  [&](const Reply&) { ++replied; });
  while (caller.pending() > 0) {
    exchange.permits.serve();
    caller.step(5);
  }
  EXPECT_EQ(replied, 2);
  EXPECT_EQ(caller.files().size(), 1U);
  EXPECT_EQ(exchange.journals().spent_microusd("main"), 40'000);
  EXPECT_EQ(exchange.journals().spent_microusd("heldout"), 40'000);
}

TEST(Caller, WithoutAJournalNothingIsSent) {
  ScriptedServer server([](const Received&) { return picture_reply(); });
  Exchange exchange(server.url());
  std::filesystem::create_directories(exchange.calls());
  evd::test::write_file(exchange.calls() / "aurora", "a file where the directory should be");
  EXPECT_EQ(exchange.life({"a"}).at("a").outcome, Outcome::open);
  EXPECT_TRUE(server.received().empty()) << "without a durable intent nothing may leave";
  EXPECT_NE(exchange.journal_failure.what.find(exchange.calls().string()), std::string::npos)
      << exchange.journal_failure.what;
  EXPECT_EQ(exchange.journal_failure.lost, 0);
}

// Files cannot grow beyond it: to the journal that is a disk that fills while answers come.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  SizeLimit(const SizeLimit&) = delete;
  SizeLimit& operator=(const SizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST(Caller, WhenSpaceRunsOutWhatIsUnderWayIsStillRecorded) {
  const std::string body = R"({"data":[{"b64_json":")" + base64(test::large_picture()) + R"("}]})";
  ScriptedServer server([&](const Received&) { return reply(200, body); });
  Exchange exchange(server.url());
  exchange.service.max_in_flight = 2;
  std::map<std::string, Reply> replies;
  {
    const SizeLimit limit(20 << 20);
    replies = exchange.life(names(10));
  }
  const auto posted = server.received().size();
  EXPECT_GE(posted, 2U);
  EXPECT_LT(posted, 10U) << "the limit was never met";
  EXPECT_NE(exchange.journal_failure.what.find("append.reserve"), std::string::npos)
      << exchange.journal_failure.what;
  EXPECT_EQ(exchange.journal_failure.lost, 0);
  std::size_t recorded = 0;
  for (const auto& [name, one] : replies) recorded += one.outcome == Outcome::ok ? 1 : 0;
  EXPECT_EQ(recorded, posted);
  EXPECT_EQ(exchange.permits.in_flight, 0);
  for (const auto& [name, one] : exchange.life(names(10)))
    EXPECT_EQ(one.outcome, Outcome::ok) << one.reason;
  EXPECT_EQ(server.received().size(), 10U) << "nothing is paid twice";
}

// An answer larger than the room that was kept for it.
TEST(Caller, AnAnswerThatCannotBeRecordedIsCountedAndAskedForOnceMore) {
  std::string body = R"({"data":[{"b64_json":")" + base64(test::large_picture()) + R"("}]})";
  std::atomic<bool> go = false;
  std::atomic<int> held = 0;
  ScriptedServer server([&](const Received&) {
    for (++held; !go;) std::this_thread::yield();
    return reply(200, body);
  });
  Exchange exchange(server.url());
  exchange.service.max_in_flight = 4;
  {
    // Room is taken for four; another writer uses it up as soon as they are sent.
    std::unique_ptr<SizeLimit> limit;
    exchange.life(names(4), [&](Caller&) {
      if (held < 4 || limit) return;
      limit = std::make_unique<SizeLimit>(7 << 20);
      go = true;
    });
  }
  const auto lost = exchange.journal_failure.lost;
  EXPECT_GE(lost, 1);
  EXPECT_LE(lost, 4);
  EXPECT_NE(exchange.journal_failure.what.find("append.write"), std::string::npos)
      << exchange.journal_failure.what;
  EXPECT_EQ(exchange.permits.in_flight, 0);
  for (const auto& [name, one] : exchange.life(names(4)))
    EXPECT_EQ(one.outcome, Outcome::ok) << one.reason;
  // Of the write that failed, whole records may be there.
  EXPECT_GT(server.received().size(), 4U);
  EXPECT_LE(server.received().size(), 4U + static_cast<std::size_t>(lost));
  for (const auto& [name, times] : posts(server)) EXPECT_LE(times, 2) << name;
}

TEST(Caller, UnusableAddressesAreConfigurationErrors) {
  for (const char* url : {"ftp://h/v1", "https://me:pw@h/v1", "rehearsal"}) {
    Exchange exchange(url);
    EXPECT_THROW(exchange.life({"a"}), ConfigurationError) << url;
  }
}

}  // namespace
}  // namespace evd::teacher
