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
};

/// Tells its observers what this rank does. They must outlive it.
class Activity {
 public:
  void add(Observer& observer) { observers_.push_back(&observer); }
  void enter(Operation operation, std::int64_t step) const {
    for (auto* observer : observers_) observer->enter(operation, step);
  }

 private:
  std::vector<Observer*> observers_;
};

}  // namespace evd::train
