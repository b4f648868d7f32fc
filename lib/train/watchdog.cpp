#include "train/watchdog.hpp"

#include <chrono>
#include <csignal>

#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::train {
namespace {

// A board on a file system that does not answer must not keep the process from leaving.
constexpr unsigned kMostForFiles_s = 30;
constexpr double kBeatsBetweenLooks = 3;

/// While it lives, a call that does not return within kMostForFiles_s ends the process by SIGALRM.
struct Deadline {
  Deadline() {
    static_cast<void>(std::signal(SIGALRM, SIG_DFL));
    ::alarm(kMostForFiles_s);
  }
  ~Deadline() { ::alarm(0); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
};

}  // namespace

Watchdog::Watchdog(Setup setup, const Log& log)
    : setup_(std::move(setup)),
      log_(log),
      board_(setup_.directory / kBoardName),
      limits_(setup_.limits) {
  now_.since_s = monotonic_s();
  now_.since_ms = utc_ms();
  std::error_code ignored;
  if (setup_.rank == 0) std::filesystem::remove(setup_.directory / kHangName, ignored);
  scribe_ = std::thread([this] { write_board(); });
  watcher_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ends_.notify_all();
  scribe_.join();
  watcher_.join();
  std::error_code ignored;
  if (setup_.rank == 0) std::filesystem::remove(setup_.directory / kBoardName, ignored);
}

void Watchdog::enter(Operation operation, std::int64_t step) {
  const double now_s = monotonic_s();
  const std::lock_guard lock(mutex_);
  limits_.took(now_.operation, now_s - now_.since_s);
  now_ = {operation, step, now_.sequence + 1, now_s, utc_ms()};
}

Watchdog::Now Watchdog::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

bool Watchdog::rest(double seconds) {
  std::unique_lock lock(mutex_);
  return !ends_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return ended_; });
}

void Watchdog::write_board() {
  bool told = false;
  int beat = 0;
  do {
    const Now present = now();
    try {
      board_.write({setup_.attempt, setup_.rank, present.step, present.operation, present.sequence,
                    ++beat, present.since_ms});
    } catch (const Error& error) {
      if (!told) log_.warning(std::string("the watchdog's board: ") + error.what());
      told = true;
    }
  } while (rest(setup_.beat_s));
}

bool Watchdog::is_still_there(const Now& then) const {
  const std::lock_guard lock(mutex_);
  return !ended_ && now_.sequence == then.sequence;
}

void Watchdog::watch() {
  while (rest(setup_.beat_s / 5)) {
    const Now present = now();
    double limit_s = 0;
    {
      const std::lock_guard lock(mutex_);
      limit_s = limits_.limit_s(present.operation);
    }
    if (monotonic_s() - present.since_s <= limit_s) continue;
    const auto hang = look();
    if (!hang || !is_still_there(present) || hang->is_worth_waiting) continue;
    return leave(present, *hang);
  }
}

std::optional<Hang> Watchdog::look() {
  try {
    const auto read = [&] {
      const Deadline deadline;
      return board_.read(setup_.ranks, setup_.attempt);
    };
    const auto before = read();
    if (!rest(kBeatsBetweenLooks * setup_.beat_s)) return std::nullopt;
    const auto after = read();
    const std::lock_guard lock(mutex_);
    return judge_hang(before, after, limits_, utc_ms());
  } catch (const Error& error) {
    return Hang{{std::string("the board cannot be read: ") + error.what()}};
  }
}

bool Watchdog::is_first() const {
  try {
    return fs::Descriptor::create("board.hang", setup_.directory / kHangName, 0666).has_value();
  } catch (const Error&) {
    return true;
  }
}

void Watchdog::leave(const Now& late, const Hang& hang) {
  const Deadline deadline;
  if (is_first()) {
    std::string text = format(
        "the job hangs: %s of step %lld takes %s; ", std::string(name(late.operation)).c_str(),
        static_cast<long long>(late.step), human_duration(monotonic_s() - late.since_s).c_str());
    text += join(hang.lines, "; ");
    log_.error(text + " (it ends here; started again it goes on from its last checkpoint)");
  } else if (!rest(setup_.beat_s)) {  // so that the first one's words come out
    return;
  }
  if (setup_.leave) {
    setup_.leave();
  } else {
    ::_exit(static_cast<int>(ExitCode::stopped));
  }
}

}  // namespace evd::train
