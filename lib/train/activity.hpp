#pragma once

#include <cstdint>
#include <vector>

#include "train/board.hpp"

namespace evd::train {

/// Whoever wishes to know what this rank does: watchdog, profile.
class Observer {
 public:
  virtual ~Observer() = default;
  /// `operation` of `step` begins, and with it the one before ends. Called by one thread.
  virtual void enter(Operation operation, std::int64_t step) = 0;
  /// A bucket of gradients was summed over the ranks between these times of the monotonic clock.
  virtual void reduced([[maybe_unused]] std::size_t bucket, [[maybe_unused]] double begin_s,
                       [[maybe_unused]] double end_s) {}
};

/// Tells its observers what this rank does. They must outlive it.
class Activity {
 public:
  void add(Observer& observer) { observers_.push_back(&observer); }
  void enter(Operation operation, std::int64_t step) const {
    for (auto* observer : observers_) observer->enter(operation, step);
  }
  void reduced(std::size_t bucket, double begin_s, double end_s) const {
    for (auto* observer : observers_) observer->reduced(bucket, begin_s, end_s);
  }

 private:
  std::vector<Observer*> observers_;
};

}  // namespace evd::train
