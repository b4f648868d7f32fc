#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace evd::train {

/// Watches how much memory this process has: proportional set size, in which shared pages count
/// once over all who share them, so that ranks' figures may be added up.
class PeakMemory {
 public:
  PeakMemory();
  ~PeakMemory();
  PeakMemory(const PeakMemory&) = delete;
  PeakMemory& operator=(const PeakMemory&) = delete;
  /// The most so far; 0 where the system does not tell.
  [[nodiscard]] double bytes() const { return most_; }

 private:
  void look();
  std::atomic<double> most_ = 0;
  std::mutex mutex_;
  std::condition_variable ends_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace evd::train
