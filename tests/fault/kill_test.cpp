#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "fault/charges.hpp"
#include "support/process_tree.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

constexpr int kRanks = 2;
constexpr int kKills = 5;               // of each stage, unless EVD_TEST_KILLS says otherwise
constexpr int kKilled = 128 + SIGKILL;  // what mpirun ends with when a rank was

// "0" and "1": a rank, which kills itself at one of its events. mpirun is killed from outside as
// soon as rank 0 has come to one.
constexpr const char* kMpirun = "mpirun";

struct Event {
  std::size_t rank = 0;
  std::uint64_t number = 0;
  std::string name;
  std::string path;
};

// Of a trace file: lines "rank number name path".
std::vector<Event> events_in(const std::filesystem::path& trace) {
  std::vector<Event> events;
  std::ifstream file(trace);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    Event event;
    if (words >> event.rank >> event.number >> event.name >> event.path && event.rank < kRanks)
      events.push_back(std::move(event));
  }
  return events;
}

struct Counts {
  std::array<std::uint64_t, kRanks> all{};  // of each rank
  std::uint64_t certain = 0;  // that rank 0 has at least, however the work is shared: it publishes
};

Counts counts_of(const std::vector<Event>& events, const std::string& directory) {
  Counts counts;
  for (const auto& [rank, number, name, path] : events) {
    counts.all[rank] = std::max(counts.all[rank], number);
    const bool of_result = path.find("/" + directory + "/") != std::string::npos;
    if (rank == 0 && of_result && name.starts_with("publish.")) ++counts.certain;
  }
  return counts;
}

struct Shot {
  std::string victim;
  std::uint64_t at = 0;  // event of the victim, of rank 0 for mpirun
};

// The first is sure to hit and the second is mpirun's. The others may come to nothing: what the
// dead have saved is not written again, and the ranks share the work as it comes.
Shot draw(Random random, std::uint64_t shot, const Counts& counts) {
  const std::uint64_t one = shot < 2 ? kRanks * shot : random.below(kRanks + 1);
  const bool is_rank = one < kRanks;
  const std::uint64_t range = shot == 0 ? counts.certain : counts.all[is_rank ? one : 0];
  return {is_rank ? std::to_string(one) : kMpirun, range == 0 ? 0 : 1 + random.below(range)};
}

struct Ended {
  bool dead = false;  // or it got through
  Finished how;
};

Ended kill_rank(const TinyCampaign& campaign, const TinyCampaign::Step& step, const Shot& shot) {
  auto how =
      campaign.stage(step.program, kRanks, step.arguments,
                     {{"EVD_KILL_AT", std::to_string(shot.at)}, {"EVD_KILL_RANK", shot.victim}});
  return {how.code == kKilled, std::move(how)};
}

// Whatever mpirun had started has to go without it, or the same command would be refused: a rank
// that lives holds the stage. What a dead mpirun and its ranks leave lies in a directory of ours.
Ended kill_mpirun(const TinyCampaign& campaign, const TinyCampaign::Step& step, const Shot& shot) {
  const TempDir directory;
  const auto trace = directory / "trace";
  Process process(campaign.stage_command(
      step.program, kRanks, step.arguments,
      {{"EVD_IO_TRACE", trace.string()},
       {"TMPDIR", directory.path().string()},
       {"OMPI_MCA_btl_vader_backing_directory", directory.path().string()}}));
  const auto has_come = [&] {
    const auto events = events_in(trace);
    return std::any_of(events.begin(), events.end(), [&](const Event& event) {
      return event.rank == 0 && event.number >= shot.at;
    });
  };
  while (!has_come() && process.running()) std::this_thread::yield();
  const auto below = process.descendants();
  process.signal(SIGKILL);
  auto how = process.wait();
  for (const pid_t pid : below)
    EXPECT_TRUE(ends(pid, 60)) << step.directory << ": a process outlives mpirun";
  return {how.signal == SIGKILL && !how.timed_out, std::move(how)};
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void expect_equal(const TinyCampaign& killed, const TinyCampaign& calm) {
  auto got = killed.contents();
  for (const auto& [directory, digest] : calm.contents())
    EXPECT_EQ(digest, got[directory]) << directory;
}

// kill -9 of every stage's ranks and of its mpirun at moments drawn by seed over its numbered I/O
// events; the same command again goes on, and in the end nothing differs from a campaign that
// nobody disturbed. When a stage has got through in spite of a kill to come, the next is tried on a
// copy from before it.
TEST(Kill, EveryStageGoesOnAndNothingIsPaidTwice) {
  const std::uint64_t seed = number_from("EVD_TEST_SEED", 1);
  const std::uint64_t kills = number_from("EVD_TEST_KILLS", kKills);
  const TinyCampaign calm;
  auto killed = std::make_unique<TinyCampaign>();
  const TempDir traces;
  std::uint64_t counter = 0;
  std::map<std::string, int> all_deaths;
  std::vector<TinyCampaign::Step> done;
  for (const auto& step : TinyCampaign::chain(2)) {
    const auto trace = traces / std::to_string(counter);
    const Finished whole =
        calm.stage(step.program, kRanks, step.arguments, {{"EVD_IO_TRACE", trace.string()}});
    ASSERT_EQ(whole.code, 0) << step.directory << whole.err;
    const auto counts = counts_of(events_in(trace), step.directory);
    ASSERT_GT(counts.certain, 0U) << step.directory;
    done.push_back(step);
    const TinyCampaign before(*killed);
    std::uint64_t deaths = 0;
    for (std::uint64_t number = 0; deaths < kills && number < 8 * kills; ++number) {
      const Shot shot = draw(Random(seed, Purpose::test, counter, number), number, counts);
      if (shot.at == 0) continue;
      const auto [dead, how] = shot.victim == kMpirun ? kill_mpirun(*killed, step, shot)
                                                      : kill_rank(*killed, step, shot);
      EXPECT_FALSE(how.timed_out) << step.directory << ": hangs after a death";
      EXPECT_TRUE(dead || how.code == 0) << step.directory << how.story();
      std::cout << "kill " << step.directory << ' ' << (shot.victim == kMpirun ? "" : "rank ")
                << shot.victim << " at event " << shot.at << (dead ? "" : ": got through")
                << std::endl;
      if (dead) {
        ++deaths;
        ++all_deaths[shot.victim];
        continue;
      }
      expect_equal(*killed, calm);
      expect_nothing_paid_twice(*killed, done);
      killed = std::make_unique<TinyCampaign>(before);
    }
    EXPECT_EQ(deaths, kills) << step.directory;
    const Finished again = killed->stage(step.program, kRanks, step.arguments);
    ASSERT_EQ(again.code, 0) << step.directory << again.out << again.err;
    ++counter;
  }
  expect_equal(*killed, calm);
  const Finished verify = killed->evd("verify", {"--deep"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  for (const auto& [victim, deaths] : all_deaths)
    std::cout << deaths << " deaths of " << victim << "; ";
  std::cout << counter << " stages\n";
  EXPECT_GE(all_deaths[kMpirun], 1) << "no mpirun was killed";
  expect_nothing_paid_twice(*killed, done);
}

}  // namespace
}  // namespace evd::test
