#include "run/outcome.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace evd::run {
namespace {

constexpr int kTag = 7501;

std::array<std::byte, 1> encode(Ending ending) { return {static_cast<std::byte>(ending)}; }

Ending decode(const mpi::Message& message) {
  if (message.bytes.size() != 1) throw InternalError("a rank's ending is not one byte");
  return static_cast<Ending>(message.bytes.front());
}

// Waits longer from time to time: the last ranks may write for minutes after the first are done.
class Pause {
 public:
  void operator()() {
    std::this_thread::sleep_for(std::chrono::microseconds(length_us_));
    if (length_us_ < 10'000) length_us_ += length_us_ / 2;
  }

 private:
  long length_us_ = 50;
};

// Ends the job when a rank has left at a signal and others do not follow.
class Patience {
 public:
  Patience(const mpi::Communicator& channel, const Log& log, double grace_s)
      : channel_(channel), log_(log), grace_s_(grace_s) {}
  void stopped() {
    if (since_s_ < 0) since_s_ = monotonic_s();
  }
  void check(const std::string& who) const {
    if (since_s_ < 0 || monotonic_s() - since_s_ < grace_s_) return;
    log_.error("told to stop, but " + who + " did not follow within " + human_duration(grace_s_) +
               " (they may wait in a collective for ranks that left); ending the job");
    channel_.abort(static_cast<int>(ExitCode::stopped));
  }

 private:
  const mpi::Communicator& channel_;
  const Log& log_;
  double grace_s_;
  double since_s_ = -1;
};

}  // namespace

Ending agree(mpi::Communicator& channel, Ending mine, const Log& log, double grace_s) {
  Patience patience(channel, log, grace_s);
  if (mine == Ending::stopped) patience.stopped();
  Pause pause;
  if (channel.rank() != 0) {
    channel.send(0, kTag, encode(mine));
    while (true) {
      if (const auto verdict = channel.poll(kTag)) return decode(*verdict);
      patience.check("the other ranks");
      pause();
    }
  }
  Ending all = mine;
  int missing = channel.size() - 1;
  while (missing > 0) {
    if (const auto message = channel.poll(kTag)) {
      --missing;
      if (decode(*message) == Ending::stopped) {
        all = Ending::stopped;
        patience.stopped();
      }
      continue;
    }
    patience.check(std::to_string(missing) + " rank" + (missing == 1 ? "" : "s"));
    pause();
  }
  for (int rank = 1; rank < channel.size(); ++rank) channel.send(rank, kTag, encode(all));
  return all;
}

}  // namespace evd::run
