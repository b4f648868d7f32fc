#pragma once

#include <vector>

#include <sys/types.h>

namespace evd::test {

/// Living descendants of a process, read from /proc; zombies and itself left out.
[[nodiscard]] std::vector<pid_t> living_below(pid_t root);
/// True as soon as a process is gone, or a zombie that nobody has collected yet; false when it
/// still lives after `limit_s`.
[[nodiscard]] bool ends(pid_t process, double limit_s = 30);

}  // namespace evd::test
