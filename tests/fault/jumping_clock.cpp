#include <atomic>
#include <cstdlib>
#include <ctime>

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/// A preloaded library that lets the wall clock jump: every few questions another day is answered,
/// hours and years before or after the true one. The monotonic clock goes on as it should.
///
///   EVD_CLOCK_JUMPS  seconds, separated by commas, that are added in turn; without it nothing
///                    happens
namespace {

constexpr int kMostJumps = 16;
constexpr unsigned kQuestionsEach = 5;  // before the next jump

struct Jumps {
  long seconds[kMostJumps] = {};
  unsigned count = 0;

  Jumps() {
    const char* text = std::getenv("EVD_CLOCK_JUMPS");
    while (text != nullptr && *text != '\0' && count < kMostJumps) {
      char* end = nullptr;
      seconds[count++] = std::strtol(text, &end, 10);
      text = *end == ',' ? end + 1 : nullptr;
    }
  }
};

std::atomic<unsigned> asked{0};

long jump() {
  static const Jumps jumps;
  if (jumps.count == 0) return 0;
  return jumps.seconds[asked++ / kQuestionsEach % jumps.count];
}

timespec wall_clock() {
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  now.tv_sec += jump();
  return now;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  if (clock != CLOCK_REALTIME) return static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  *now = wall_clock();
  return 0;
}

int gettimeofday(timeval* now, void* /*zone*/) noexcept {
  const timespec wall = wall_clock();
  *now = {wall.tv_sec, wall.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* now) noexcept {
  const time_t seconds = wall_clock().tv_sec;
  if (now != nullptr) *now = seconds;
  return seconds;
}

}  // extern "C"
