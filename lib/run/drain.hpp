#pragma once

#include "core/log.hpp"
#include "run/handout.hpp"
#include "teacher/caller.hpp"

namespace evd::run {

/// How a stage that asks services ends once any rank was asked to stop: nothing new is sent, and
/// what is under way is waited for, but not for long, since schedulers kill soon after they ask.
///
///   while (!handout.complete() && !drain.over()) { ...; handout.step(); caller.step(wait_ms); }
class Drain {
 public:
  static constexpr double kLongest_s = 30;

  Drain(const Handout& handout, teacher::Caller& caller, const Log& log,
        double longest_s = kLongest_s)
      : handout_(handout), caller_(caller), log_(log), longest_s_(longest_s) {}

  /// Call it once a turn of the event loop; true when enough was waited. Stops the caller when it
  /// first sees that a stop was asked for.
  [[nodiscard]] bool over();
  /// Whether that has happened: then feed nothing more, and end with Stopped.
  [[nodiscard]] bool begun() const { return begun_s_ >= 0; }

 private:
  const Handout& handout_;
  teacher::Caller& caller_;
  const Log& log_;
  double longest_s_;
  double begun_s_ = -1;
};

}  // namespace evd::run
