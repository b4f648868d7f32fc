// main of the MPI tests: rank 0 prints, the others only their failures; the result is the worst of
// all ranks; no test run is a failure; a test that hangs ends the job with its name.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "mpi/communicator.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double limit_s() {
  const char* text = std::getenv("EVD_TEST_LIMIT_S");
  return text != nullptr ? std::atof(text) : 60;
}

/// Ends the process when one test takes too long; mpirun then ends the other ranks.
class Watchdog final : public testing::EmptyTestEventListener {
 public:
  explicit Watchdog(int rank) : rank_(rank), thread_([this] { watch(); }) {}
  ~Watchdog() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void OnTestStart(const testing::TestInfo& info) override {
    const std::lock_guard lock(mutex_);
    name_ = std::string(info.test_suite_name()) + "." + info.name();
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(limit_s()));
    changed_.notify_all();
  }
  void OnTestEnd(const testing::TestInfo&) override {
    const std::lock_guard lock(mutex_);
    deadline_ = Clock::time_point::max();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      if (deadline_ == Clock::time_point::max()) {
        changed_.wait(lock);
      } else if (changed_.wait_until(lock, deadline_) == std::cv_status::timeout &&
                 Clock::now() >= deadline_) {
        std::fprintf(stderr, "rank %d: %s hangs (limit %.0f s)\n", rank_, name_.c_str(), limit_s());
        std::_Exit(1);
      }
    }
  }

  int rank_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string name_ = "start";
  Clock::time_point deadline_ = Clock::time_point::max();
  bool over_ = false;
  std::thread thread_;
};

/// What a rank other than 0 says.
class FailuresOnly final : public testing::EmptyTestEventListener {
 public:
  explicit FailuresOnly(int rank) : rank_(rank) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "rank %d: %s:%d: %s\n", rank_,
                 result.file_name() != nullptr ? result.file_name() : "?", result.line_number(),
                 result.message());
  }

 private:
  int rank_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const evd::mpi::Environment environment(argc, argv);
  const auto world = evd::mpi::Communicator::world();
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (world.rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOnly(world.rank()));
  }
  listeners.Append(new Watchdog(world.rank()));
  int result = RUN_ALL_TESTS();
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) result = 1;
  return static_cast<int>(world.all_reduce(std::int64_t{result}, evd::mpi::Reduce::max));
}
