#include "run/signals.hpp"

#include <csignal>

#include <unistd.h>

namespace evd::run {
namespace {

std::atomic<bool> stop{false};
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

extern "C" void on_stop_signal(int signal) {
  if (signal == SIGINT && interrupted.exchange(true)) _exit(128 + SIGINT);
  stop.store(true);
}

void install(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

const std::atomic<bool>& catch_stop_signals() {
  for (const int signal : {SIGTERM, SIGUSR1, SIGINT}) install(signal, on_stop_signal);
  // A closed pipe and a file beyond RLIMIT_FSIZE are errors of a write, not a death.
  install(SIGPIPE, SIG_IGN);
  install(SIGXFSZ, SIG_IGN);
  return stop;
}

std::atomic<bool>& stop_flag() { return stop; }

}  // namespace evd::run
