#pragma once

#include <functional>

#include <sys/wait.h>
#include <unistd.h>

namespace evd::test {

/// Runs `body` in a child process, so that it may die or change limits; gives waitpid's status.
/// An exception that leaves `body` is exit code 99.
inline int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 99;
    try {
      code = body();
    } catch (...) {
    }
    ::_exit(code);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace evd::test
