#pragma once

#include <map>
#include <memory>
#include <string>

namespace evd::nn {

/// Measures, while it lives, how long this program's threads spend in each operator: ATen's, and
/// this room's own, forward and backward. An operator's seconds are its own, without those of the
/// operators that it calls, so that they add up to no more than the threads' time.
class OperatorTimes {
 public:
  OperatorTimes();
  ~OperatorTimes();
  OperatorTimes(const OperatorTimes&) = delete;
  OperatorTimes& operator=(const OperatorTimes&) = delete;

  /// Seconds by operator, as ATen names it; a backward has the name of its node.
  [[nodiscard]] std::map<std::string, double> seconds() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::nn
