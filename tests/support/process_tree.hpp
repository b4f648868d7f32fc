#pragma once

#include <vector>

#include <sys/types.h>

namespace evd::test {

/// Living descendants of a process, read from /proc; zombies and itself left out.
[[nodiscard]] std::vector<pid_t> living_below(pid_t root);

}  // namespace evd::test
