#pragma once

#include <string>
#include <vector>

namespace evd::hands {

/// What a short command of somebody else said, and how it ended.
struct Captured {
  int code = 0;  ///< 128 + signal when a signal ended it; 127 when there is no such program
  std::string out;
  std::string err;
};

/// Runs a program that is found on PATH and waits for it. `unset` leaves out of its environment.
[[nodiscard]] Captured capture(const std::vector<std::string>& command,
                               const std::vector<std::string>& unset = {});

}  // namespace evd::hands
