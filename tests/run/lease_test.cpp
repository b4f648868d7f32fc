#include "run/lease.hpp"

#include <atomic>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

constexpr StageRef kRef{Stage::judge, 3};
constexpr LeaseTiming kQuick{.renew_s = 0.02, .watch_s = 0.5, .poll_s = 0.005};
constexpr LeaseTiming kPatient{.renew_s = 0.02, .watch_s = 60, .poll_s = 0.005};

class LeaseTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return directory_ / "leases/judge-0003.json"; }
  [[nodiscard]] static LeaseRecord me() { return lease_identity(kRef, "test-0", 2); }
  [[nodiscard]] std::unique_ptr<Lease> take(const LeaseRecord& self,
                                            const LeaseTiming& timing = kQuick) {
    return std::make_unique<Lease>(path(), self, system_probes(), timing, log_,
                                   [this] { lost_ = true; });
  }
  // A lease file as somebody of another machine left it.
  [[nodiscard]] LeaseRecord stranger() const {
    auto record = me();
    record.host = "node7";
    record.user = "anna";
    record.boot_id = "another boot";
    return record;
  }
  void put(const LeaseRecord& record) const {
    std::filesystem::create_directories(path().parent_path());
    test::write_file(path(), to_json(record));
  }
  [[nodiscard]] std::string refusal(const LeaseRecord& self, const LeaseTiming& timing = kQuick) {
    try {
      static_cast<void>(take(self, timing));
    } catch (const ConfigurationError& error) {
      return error.what();
    }
    return "nothing";
  }

  // Eight processes want it at once.
  void expect_one_winner() {
    constexpr int kRivals = 8;
    std::array<int, 2> start{};
    std::array<int, 2> end{};
    ASSERT_EQ(pipe(start.data()), 0);
    ASSERT_EQ(pipe(end.data()), 0);
    // Until the parent closes the other end, at most ten seconds.
    const auto await = [](std::array<int, 2>& gate) {
      close(gate[1]);
      pollfd wait{.fd = gate[0], .events = POLLIN, .revents = 0};
      poll(&wait, 1, 10'000);
    };
    for (int i = 0; i < kRivals; ++i) {
      if (fork() != 0) continue;
      await(start);
      try {
        const auto lease = take(me());
        await(end);
        lease->confirm();
        _exit(0);
      } catch (const ConfigurationError&) {
        _exit(78);
      } catch (...) {
        _exit(1);
      }
    }
    close(start[1]);
    int winners = 0;
    for (int ended = 1; ended <= kRivals; ++ended) {
      int status = 0;
      wait(&status);
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      EXPECT_TRUE(code == 0 || code == 78) << code;
      winners += code == 0 ? 1 : 0;
      if (ended == kRivals - 1) close(end[1]);  // the losers are gone: let the winner end
    }
    EXPECT_EQ(winners, 1);
  }

  test::TempDir directory_;
  Log log_{"test", 1};  // rank 1: says nothing below a warning
  std::atomic<bool> lost_ = false;
};

TEST_F(LeaseTest, RecordsReadBack) {
  auto record = me();
  record.slurm_job = "77";
  record.counter = 5;
  put(record);
  const auto again = read_lease(path());
  ASSERT_TRUE(again);
  EXPECT_EQ(to_json(*again), to_json(record));
  EXPECT_GT(record.start_ticks, 0U);
  EXPECT_FALSE(record.boot_id.empty());
  EXPECT_FALSE(record.pid_namespace.empty());
  EXPECT_NE(me().nonce, me().nonce);
}

TEST_F(LeaseTest, NonsenseIsNoLease) {
  std::filesystem::create_directories(path().parent_path());
  for (const char* text :
       {"", "{}", "not json", "[1]", "{\"stage\": 3}", "{\"stage\": \"nonsense\", \"round\": 3}"}) {
    test::write_file(path(), text);
    EXPECT_FALSE(read_lease(path())) << text;
  }
  EXPECT_EQ(take(me())->attempt(), 1) << "and is replaced";
}

// Bugs: what could not be read counted as no lease, and its job was robbed; what could not be
// removed was tried for ever.
TEST_F(LeaseTest, WhatIsThereAndCannotBeReadIsNotTaken) {
  std::filesystem::create_directories(path() / "x");
  EXPECT_THROW(static_cast<void>(take(me())), IoError);
  EXPECT_FALSE(read_lease(path())) << "who only looks on sees none";
}

TEST_F(LeaseTest, IsRenewedAndReleased) {
  {
    const auto lease = take(me());
    EXPECT_EQ(lease->attempt(), 1);
    EXPECT_NO_THROW(lease->confirm());
    while (read_lease(path())->counter < 3) std::this_thread::yield();
    EXPECT_FALSE(read_lease(path())->released);
  }
  EXPECT_TRUE(read_lease(path())->released);
  // Nothing but the lease stays.
  int files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(path().parent_path()))
    ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(LeaseTest, AttemptsAreCounted) {
  for (int attempt = 1; attempt <= 3; ++attempt) EXPECT_EQ(take(me())->attempt(), attempt);
}

TEST_F(LeaseTest, TheSecondIsToldWhoHoldsIt) {
  const auto lease = take(me());
  const auto text = refusal(me());
  EXPECT_NE(text.find("judge(3) is being run by " + me().user), std::string::npos) << text;
  EXPECT_NE(text.find("process " + std::to_string(getpid())), std::string::npos) << text;
  EXPECT_NE(text.find("end it first"), std::string::npos) << text;
}

TEST_F(LeaseTest, ADeadProcessIsTakenOverAtOnce) {
  const pid_t child = fork();
  if (child == 0) {
    const auto lease = take(me());
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(read_lease(path())->pid, child);
  EXPECT_EQ(take(me())->attempt(), 2);
}

// The number of a dead process may belong to another one by now.
TEST_F(LeaseTest, AReusedProcessNumberIsNotTheHolder) {
  auto record = me();
  record.start_ticks -= 1;
  put(record);
  EXPECT_EQ(liveness(record, me(), system_probes()), Liveness::gone);
  EXPECT_EQ(take(me())->attempt(), 1);
}

TEST_F(LeaseTest, ASilentStrangerIsTakenOverAfterTheWatch) {
  auto record = stranger();
  record.attempt = 4;
  put(record);
  EXPECT_EQ(take(me())->attempt(), 5);
}

TEST_F(LeaseTest, AStrangerThatRenewsIsAlive) {
  auto record = stranger();
  put(record);
  std::atomic<bool> done = false;
  std::thread renewer([&] {
    while (!done) {
      ++record.counter;
      const auto temporary = path().string() + ".other";
      test::write_file(temporary, to_json(record));
      std::filesystem::rename(temporary, path());
      std::this_thread::yield();
    }
  });
  // The watch ends at the first renewal that is seen: a long one only leaves a busy machine time.
  EXPECT_NE(refusal(me(), kPatient).find("anna on node7"), std::string::npos);
  done = true;
  renewer.join();
}

TEST_F(LeaseTest, WhoLosesItPublishesNothing) {
  const auto lease = take(me());
  put(stranger());
  while (!lost_) std::this_thread::yield();
  try {
    lease->confirm();
    FAIL() << "a lost lease was confirmed";
  } catch (const ConfigurationError& error) {
    EXPECT_NE(std::string(error.what()).find("taken over by anna on node7"), std::string::npos)
        << error.what();
  }
}

// The loser's release must not touch the winner's lease.
TEST_F(LeaseTest, AReleaseLeavesAnothersLeaseAlone) {
  const auto winner = stranger();
  {
    const auto lease = take(me());
    put(winner);
  }
  EXPECT_EQ(read_lease(path())->nonce, winner.nonce);
  EXPECT_FALSE(read_lease(path())->released);
}

// Many that find the same dead holder: one of them takes over.
TEST_F(LeaseTest, OnlyOneTakesOver) {
  auto dead = me();
  dead.start_ticks -= 1;
  put(dead);
  expect_one_winner();
}

// Bug: a lease that was made while a rival saw none was removed as if it were none.
TEST_F(LeaseTest, OnlyOneGetsWhatNobodyHad) {
  for (int i = 0; i < 20; ++i) {
    std::filesystem::remove_all(path().parent_path());
    expect_one_winner();
  }
}

// What squeue prints for a job that runs, that ended, that was forgotten; and a controller that is
// away, which says nothing about the job.
TEST_F(LeaseTest, SqueueIsAsked) {
  const std::string path_before = getenv("PATH");
  setenv("PATH", (directory_.path().string() + ":" + path_before).c_str(), 1);
  const auto asked = [&](const std::string& script) {
    test::write_file(directory_ / "squeue", "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(directory_ / "squeue", std::filesystem::perms(0755));
    return system_probes().squeue_knows("77");
  };
  EXPECT_EQ(asked("echo 77"), true);
  EXPECT_EQ(asked("true"), false);
  EXPECT_EQ(asked("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"), false);
  EXPECT_EQ(asked("echo 'Unable to contact slurm controller' >&2; exit 1"), std::nullopt);
  EXPECT_EQ(asked("exit 127"), std::nullopt);
  EXPECT_EQ(system_probes().squeue_knows("77; rm -rf /"), std::nullopt);
  setenv("PATH", path_before.c_str(), 1);
}

class LivenessTest : public ::testing::Test {
 protected:
  LivenessTest() {
    self_.boot_id = "boot";
    self_.pid_namespace = "pid:[1]";
    other_ = self_;
    other_.pid = 10;
    other_.start_ticks = 100;
  }
  [[nodiscard]] Liveness ask() const {
    return liveness(other_, self_,
                    {[this](std::int64_t pid) -> std::optional<std::uint64_t> {
                       EXPECT_EQ(pid, 10);
                       return ticks_;
                     },
                     [this](const std::string& job) {
                       EXPECT_EQ(job, "77");
                       return squeue_;
                     }});
  }
  LeaseRecord self_;
  LeaseRecord other_;
  std::optional<std::uint64_t> ticks_ = 100;
  std::optional<bool> squeue_;
};

TEST_F(LivenessTest, ReleasedIsGone) {
  other_.released = true;
  EXPECT_EQ(ask(), Liveness::gone);
}

TEST_F(LivenessTest, OnTheSameBootTheProcessDecides) {
  EXPECT_EQ(ask(), Liveness::alive);
  ticks_ = 101;
  EXPECT_EQ(ask(), Liveness::gone);
  ticks_ = std::nullopt;
  EXPECT_EQ(ask(), Liveness::gone);
}

TEST_F(LivenessTest, InAnotherContainerNumbersMeanNothing) {
  other_.pid_namespace = "pid:[2]";
  EXPECT_EQ(ask(), Liveness::unknown);
}

TEST_F(LivenessTest, AnotherBootWithoutSlurmIsUnknown) {
  other_.boot_id = "elsewhere";
  EXPECT_EQ(ask(), Liveness::unknown);
}

TEST_F(LivenessTest, ALaterLifeOfTheSameJobTakesOver) {
  other_.boot_id = "elsewhere";
  other_.slurm_job = self_.slurm_job = "77";
  EXPECT_EQ(ask(), Liveness::unknown);
  self_.slurm_restart = 1;
  EXPECT_EQ(ask(), Liveness::gone);
}

TEST_F(LivenessTest, WhatSqueueDoesNotKnowIsGone) {
  other_.boot_id = "elsewhere";
  other_.slurm_job = "77";
  squeue_ = true;
  EXPECT_EQ(ask(), Liveness::unknown) << "another step of it may run";
  squeue_ = false;
  EXPECT_EQ(ask(), Liveness::gone);
}

}  // namespace
}  // namespace evd::run
