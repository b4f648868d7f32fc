#include "run/holders.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "run/campaigns.hpp"
#include "run/signals.hpp"
#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

constexpr LeaseTiming kQuick{.renew_s = 0.02, .watch_s = 0.3, .poll_s = 0.005};
constexpr LeaseTiming kPatient{.renew_s = 0.02, .watch_s = 60, .poll_s = 0.005};

class HoldersTest : public ::testing::Test {
 protected:
  HoldersTest() { test::make_campaign(directory_ / "c"); }
  [[nodiscard]] std::filesystem::path leases() const { return directory_ / "c/leases"; }
  [[nodiscard]] static LeaseRecord me() { return lease_identity({Stage::judge, 3}, "test-0", 2); }
  // Somebody of another machine, of whom only the counter can tell.
  [[nodiscard]] static LeaseRecord stranger() {
    auto record = me();
    record.host = "node7";
    record.boot_id = "another boot";
    record.slurm_job = "";
    return record;
  }
  void put(const std::string& name, const LeaseRecord& record) const {
    std::filesystem::create_directories(leases());
    test::write_file(leases() / ("." + name), to_json(record));
    std::filesystem::rename(leases() / ("." + name), leases() / name);
  }
  [[nodiscard]] std::vector<LeaseRecord> living(const LeaseTiming& timing) const {
    return living_holders(leases(), me(), system_probes(), timing, log_);
  }

  test::TempDir directory_;
  Log log_{"test", 1};
};

TEST_F(HoldersTest, NobodyIsNobody) {
  EXPECT_TRUE(living(kQuick).empty());
  auto released = me();
  released.released = true;
  put("train-0001.json", released);
  put("train-0001.progress.json", me());  // no lease
  put("judge-0003.json", stranger());     // stands still
  EXPECT_TRUE(living(kQuick).empty());
}

TEST_F(HoldersTest, TheLivingAreNamed) {
  put("judge-0003.json", me());
  const auto found = living(kPatient);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(to_string(ref_of(found.front())), "judge(3)");
  // One's own lease is no obstacle.
  const auto self = found.front();
  EXPECT_TRUE(living_holders(leases(), self, system_probes(), kPatient, log_).empty());
}

// It would be watched in vain until the patience ends.
TEST_F(HoldersTest, WhoLeavesWhileItIsWatchedIsWaitedForNoLonger) {
  auto record = stranger();
  put("judge-0003.json", record);
  put("judge-0004.json", record);
  std::thread leaver([&] {
    record.released = true;
    put("judge-0003.json", record);
    std::filesystem::remove(leases() / "judge-0004.json");
  });
  const double begun_s = monotonic_s();
  EXPECT_TRUE(living(kPatient).empty());
  leaver.join();
  EXPECT_LT(monotonic_s() - begun_s, kPatient.watch_s / 2);
}

TEST_F(HoldersTest, ARisingCounterIsASignOfLife) {
  auto record = stranger();
  put("judge-0003.json", record);
  std::atomic<bool> seen = false;
  std::thread renewer([&] {
    while (!seen) {
      ++record.counter;
      put("judge-0003.json", record);
    }
  });
  EXPECT_EQ(living(kPatient).size(), 1U);
  seen = true;
  renewer.join();
}

// A stage that begins while evd gc is at work waits for its end.
TEST_F(HoldersTest, AStageWaitsForTheCleaning) {
  const Campaign campaign(directory_ / "c");
  await_cleaning(campaign, me(), system_probes(), kPatient, log_);  // nobody cleans
  auto cleaner = me();
  cleaner.stage = "evd gc";
  cleaner.round = kNoRound;
  put("gc.json", cleaner);
  // The probe is asked in each turn: the cleaning ends at the third.
  int turns = 0;
  auto probes = system_probes();
  const auto start_ticks_of = probes.start_ticks_of;
  probes.start_ticks_of = [&](std::int64_t pid) {
    if (++turns == 3) {
      cleaner.released = true;
      put("gc.json", cleaner);
    }
    return start_ticks_of(pid);
  };
  await_cleaning(campaign, me(), probes, kPatient, log_);
  EXPECT_EQ(turns, 3);
}

TEST_F(HoldersTest, ACleanerThatStandsStillIsNotWaitedForForEver) {
  const Campaign campaign(directory_ / "c");
  auto cleaner = stranger();
  cleaner.stage = "evd gc";
  cleaner.round = kNoRound;
  put("gc.json", cleaner);
  await_cleaning(campaign, me(), system_probes(), kQuick, log_);
}

TEST_F(HoldersTest, ASignalEndsTheWaiting) {
  const Campaign campaign(directory_ / "c");
  auto cleaner = me();
  cleaner.stage = "evd gc";
  cleaner.round = kNoRound;
  put("gc.json", cleaner);
  stop_flag() = true;
  EXPECT_THROW(await_cleaning(campaign, me(), system_probes(), kPatient, log_), Stopped);
  stop_flag() = false;
}

}  // namespace
}  // namespace evd::run
