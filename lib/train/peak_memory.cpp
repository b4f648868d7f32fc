#include "train/peak_memory.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

namespace evd::train {
namespace {

constexpr std::chrono::milliseconds kEvery{50};

double proportional_bytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string word; file >> word;) {
    double kilobytes = 0;
    if (word == "Pss:" && file >> kilobytes) return 1024 * kilobytes;
  }
  return 0;
}

}  // namespace

PeakMemory::PeakMemory() : thread_([this] { look(); }) {}

PeakMemory::~PeakMemory() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ends_.notify_all();
  thread_.join();
}

void PeakMemory::look() {
  std::unique_lock lock(mutex_);
  do {
    most_ = std::max(most_.load(), proportional_bytes());
  } while (!ends_.wait_for(lock, kEvery, [this] { return ended_; }));
}

}  // namespace evd::train
