#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/publish.hpp"
#include "teacher/exchange.hpp"

namespace evd::teacher {
namespace {

using evd::test::Received;
using evd::test::ScriptedServer;
using test::Exchange;
using test::picture;
using test::picture_reply;

std::vector<std::string> names(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back("prompt " + std::to_string(i));
  return all;
}

// How many I/O events this process has had; a forked one goes on counting from there.
int events_so_far(const Exchange& exchange) {
  const auto trace = exchange.directory() / "trace";
  ::setenv("EVD_IO_TRACE", trace.c_str(), 1);
  fs::io_event("test.probe", "");
  ::unsetenv("EVD_IO_TRACE");
  const std::string line = evd::test::read_file(trace);  // rank, number, name, path
  return std::stoi(line.substr(line.find(' ')));
}

// One life in a process of its own that is killed at its n-th I/O event; whether it was.
bool killed_life(Exchange& exchange, int event) {
  const int before = events_so_far(exchange);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("EVD_KILL_AT", std::to_string(before + event).c_str(), 1);
    exchange.setup.rank = event;  // a journal of its own
    exchange.life(names(6));
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// Every I/O event in turn: each picture is had in the end, none that was recorded is paid again,
// and nobody is charged more often than once and once for each intent without an answer.
TEST(Crash, AtEveryNumberedEvent) {
  int event = 1;
  for (bool killed = true; killed && event < 60; ++event) {
    ScriptedServer server([](const Received&) { return picture_reply(); });
    Exchange exchange(server.url());
    killed = killed_life(exchange, event);
    const auto before = exchange.journals();
    const std::size_t asked_before = server.received().size();
    const auto replies = exchange.life(names(6));
    ASSERT_EQ(replies.size(), 6U);
    std::map<std::string, int> posts;
    for (const auto& one : server.received()) ++posts[one.body];
    for (const auto& [name, reply] : replies) {
      EXPECT_EQ(reply.payload, picture()) << event;
      const Recorded* recorded = before.find(Exchange::key(name));
      const int ambiguous = recorded == nullptr ? 0 : recorded->no_answer;
      EXPECT_LE(posts[name], 1 + ambiguous) << event << " " << name;
      if (recorded != nullptr && recorded->has_reply) {
        EXPECT_EQ(posts[name], 1) << event;
      }
    }
    EXPECT_LE(asked_before, before.records().size()) << "a request left before its intent was safe";
  }
  EXPECT_GT(event, 8) << "events were not counted";
  EXPECT_LT(event, 60) << "never ran to its end";
}

}  // namespace
}  // namespace evd::teacher
